import { Modal } from '@mantine/core';
import { useState } from 'react';
import { knownOf, type Known, type Source } from '../api/provenance';
import { useFetched } from '../api/use-fetched';
import { CustomerLink } from '../customers/customer-link';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { fieldName } from './field-names';
import { LEGAL_BASES, PURPOSES, said } from './words';
import classes from './record.module.css';

const KINDS: Readonly<Record<Source['kind'], Key>> = {
  import: 'why_known.import',
  api: 'why_known.api',
  agent: 'why_known.agent',
  call: 'why_known.call',
  merge: 'why_known.merge',
  self: 'why_known.self',
  rule: 'why_known.rule',
  unknown: 'why_known.unknown',
};
const DECIDED: Readonly<Record<string, Key>> = {
  installation: 'why_known.by_installation',
  consent: 'why_known.by_consent',
  usual: 'why_known.by_custom',
};

function SourceLine({ source }: { readonly source: Source }) {
  const { t, format } = useLocalisation();
  return (
    <>
      {t(KINDS[source.kind], { who: source.actor_id ?? '', file: source.file_name ?? '' })}
      {source.customer_id !== null && (
        <>
          {' '}
          <CustomerLink customerId={source.customer_id} />
        </>
      )}
      {source.at && <span className="soft"> · {format.dateTime(source.at)}</span>}
      {source.origin && (
        <>
          <br />
          <span className="soft">{t('why_known.before')}</span> <SourceLine source={source.origin} />
        </>
      )}
    </>
  );
}

function Line({ known, label }: { readonly known: Known; readonly label: string }) {
  const { t } = useLocalisation();
  const { legal_basis, purpose, decided_by } = known.ground;
  return (
    <tr data-testid={`known-${known.field}`}>
      <th scope="row">{label}</th>
      <td>
        <SourceLine source={known.source} />
      </td>
      <td>
        {legal_basis === null ? (
          <span className="pill tone-attention">{t('why_known.no_ground')}</span>
        ) : (
          said(LEGAL_BASES, legal_basis, t)
        )}
        {purpose && <span className="soft"> · {said(PURPOSES, purpose, t)}</span>}
        {decided_by && (
          <>
            <br />
            <span className="soft">{t(DECIDED[decided_by] ?? 'why_known.by_custom')}</span>
          </>
        )}
      </td>
    </tr>
  );
}

interface WhyKnownProps {
  readonly customerId: string;
  /** What the button is about, for people who do not see where it stands. */
  readonly about: string;
  readonly fields: readonly string[];
  /** Names of fields that the installation has added, and of rows by their id. */
  readonly labels?: Readonly<Record<string, string>>;
}

function Answers({ customerId, fields, labels = {} }: Omit<WhyKnownProps, 'about'>) {
  const { t } = useLocalisation();
  const found = useFetched(customerId, (signal) => knownOf(customerId, signal));
  if (found.error) return <LoadProblem onRetry={found.reload} />;
  if (!found.value) return <p className="soft">{t('loading')}</p>;
  const shown = found.value.filter(({ field }) => fields.includes(field));
  if (shown.length === 0) return <p className="soft">{t('why_known.nothing')}</p>;
  return (
    <table className={classes.known} data-testid="why-known">
      <thead>
        <tr>
          <th scope="col">{t('why_known.what')}</th>
          <th scope="col">{t('why_known.source')}</th>
          <th scope="col">{t('why_known.ground')}</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((known) => (
          <Line
            key={`${known.field} ${known.item_id}`}
            known={known}
            label={labels[known.item_id ?? known.field] ?? fieldName(known.field, t)}
          />
        ))}
      </tbody>
    </table>
  );
}

/** A small "why?" beside a group of fields: where each is known from, and on which legal ground it is kept. */
export function WhyKnown({ about, ...asked }: WhyKnownProps) {
  const { t } = useLocalisation();
  const [opened, setOpened] = useState(false);
  const title = t('why_known.title', { about });
  return (
    <>
      <button
        type="button"
        className={classes.whyButton}
        aria-label={title}
        title={title}
        onClick={() => setOpened(true)}
        data-testid={`why-${asked.fields[0]}`}
      >
        {t('why_known.ask')}
      </button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={title}
        size="xl"
        closeButtonProps={{ 'aria-label': t('action.close'), size: 36 }}
      >
        <Answers {...asked} />
      </Modal>
    </>
  );
}
