import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import {
  consentsOf,
  contactability,
  recordConsent,
  type Consent,
  type ConsentStatus,
  type CustomerRecord,
} from '../api/record';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useAnnouncer } from '../shell/announcer';
import { Problem } from './problem';
import { useAction } from './problems';
import { AGAINST, CHANNELS, choices, CONSENT_STATES, LEGAL_BASES, PURPOSES, said, SOURCES } from './words';
import classes from './record.module.css';

const TONES: Readonly<Record<ConsentStatus, string>> = {
  given: 'tone-good',
  denied: 'tone-bad',
  withdrawn: 'tone-bad',
  pending: 'tone-pause',
};

/** Channels that reach a kind of contact point. */
const REACHING: Readonly<Record<string, readonly string[]>> = { phone: ['voice', 'sms'], email: ['email'] };

/** Whether the customer may be contacted now, by the number and for the purpose that are chosen, and why not. */
function MayWe({ record, asked }: { readonly record: CustomerRecord; readonly asked: number }) {
  const { t, format } = useLocalisation();
  const points = record.contact_points;
  const first = points.find((point) => point.is_primary) ?? points[0];
  const [pointId, setPointId] = useState(first?.id ?? '');
  const [purpose, setPurpose] = useState('service');
  const [wished, setWished] = useState('voice');
  const point = points.find((each) => each.id === pointId) ?? first;
  const reaching = REACHING[point?.kind ?? 'phone'] ?? ['voice'];
  const channel = reaching.includes(wished) ? wished : (reaching[0] ?? 'voice');
  const value = point?.value_norm ?? '';
  const answer = useFetched(`${value} ${channel} ${purpose} ${asked}`, (signal) =>
    value === '' ? Promise.resolve(null) : contactability(value, channel, purpose, signal),
  );
  if (!point) return <p className="soft">{t('may_we.nothing')}</p>;
  return (
    <section aria-label={t('may_we.title')} className={classes.mayWe} data-testid="contactability">
      <h3 className={classes.subheading}>{t('may_we.title')}</h3>
      <div className={classes.inputs}>
        <NativeSelect
          label={t('may_we.where')}
          value={point.id}
          data={points.map((each) => ({ value: each.id, label: each.value_raw }))}
          onChange={(event) => setPointId(event.currentTarget.value)}
        />
        <NativeSelect
          label={t('consent.channel')}
          value={channel}
          data={reaching.map((each) => ({ value: each, label: said(CHANNELS, each, t) }))}
          onChange={(event) => setWished(event.currentTarget.value)}
        />
        <NativeSelect
          label={t('consent.purpose')}
          value={purpose}
          data={choices(PURPOSES, t).filter((each) => each.value !== '*')}
          onChange={(event) => setPurpose(event.currentTarget.value)}
          data-testid="may-we-purpose"
        />
      </div>
      {answer.error && <LoadProblem onRetry={answer.reload} />}
      {answer.value && (
        <div
          className={`${classes.verdict} ${answer.value.is_allowed ? 'tone-good' : 'tone-bad'}`}
          data-testid="verdict"
          data-allowed={answer.value.is_allowed}
        >
          <p>
            <Icon name={answer.value.is_allowed ? 'check' : 'warning'} />{' '}
            <strong>{answer.value.is_allowed ? t('may_we.yes') : t('may_we.no')}</strong>
          </p>
          {answer.value.reasons.length > 0 && (
            <ul>
              {answer.value.reasons.map((reason) => (
                <li key={reason}>{said(AGAINST, reason, t)}</li>
              ))}
            </ul>
          )}
          {answer.value.again_at && <p>{t('may_we.again', { at: format.dateTime(answer.value.again_at) })}</p>}
        </div>
      )}
    </section>
  );
}

function AddConsent({ customerId, onAdded }: { readonly customerId: string; readonly onAdded: () => void }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [status, setStatus] = useState<ConsentStatus>('given');
  const [channel, setChannel] = useState('*');
  const [purpose, setPurpose] = useState('marketing');
  const [basis, setBasis] = useState('consent');
  const [source, setSource] = useState('call');
  const [evidence, setEvidence] = useState('');
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const said = evidence.trim();
    const entry = { status, channel, purpose, legal_basis: basis, source, ...(said && { evidence: said }) };
    if (!(await action.run(() => recordConsent(customerId, entry)))) return;
    setEvidence('');
    announcer.status(t('consent.added'));
    onAdded();
  };
  return (
    <form onSubmit={(event) => void add(event)} className={classes.form} data-testid="consent-form">
      <div className={classes.inputs}>
        <NativeSelect
          label={t('consent.status')}
          value={status}
          data={choices(CONSENT_STATES, t)}
          onChange={(event) => setStatus(event.currentTarget.value as ConsentStatus)}
          data-testid="consent-status"
        />
        <NativeSelect
          label={t('consent.channel')}
          value={channel}
          data={choices(CHANNELS, t)}
          onChange={(event) => setChannel(event.currentTarget.value)}
          data-testid="consent-channel"
        />
        <NativeSelect
          label={t('consent.purpose')}
          value={purpose}
          data={choices(PURPOSES, t)}
          onChange={(event) => setPurpose(event.currentTarget.value)}
          data-testid="consent-purpose"
        />
        <NativeSelect
          label={t('consent.basis')}
          value={basis}
          data={choices(LEGAL_BASES, t)}
          onChange={(event) => setBasis(event.currentTarget.value)}
        />
        <NativeSelect
          label={t('consent.source')}
          value={source}
          data={choices(SOURCES, t)}
          onChange={(event) => setSource(event.currentTarget.value)}
        />
        <TextInput
          label={t('consent.evidence')}
          value={evidence}
          onChange={(event) => setEvidence(event.currentTarget.value)}
          maxLength={1_000}
        />
      </div>
      <Problem text={action.problem} />
      <div>
        <Button type="submit" loading={action.busy} data-testid="add-consent">
          {t('consent.add')}
        </Button>
      </div>
    </form>
  );
}

function ConsentEntry({
  consent,
  onWithdraw,
}: {
  readonly consent: Consent;
  readonly onWithdraw: (() => void) | null;
}) {
  const { t, format } = useLocalisation();
  const about = t('consent.about', {
    channel: said(CHANNELS, consent.channel, t),
    purpose: said(PURPOSES, consent.purpose, t),
  });
  return (
    <li className={classes.row} data-testid="consent" data-status={consent.status}>
      <span className={`pill ${TONES[consent.status]}`}>{said(CONSENT_STATES, consent.status, t)}</span>
      <span className={classes.rowText}>
        <span>{about}</span>
        <span className="soft">
          {[
            format.dateTime(consent.captured_at),
            said(LEGAL_BASES, consent.legal_basis, t),
            said(SOURCES, consent.source, t),
            consent.value_norm,
            consent.actor_id,
            consent.until_at && t('consent.until', { at: format.dateTime(consent.until_at) }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
        {consent.evidence && <span className="wrap-anywhere">{consent.evidence}</span>}
      </span>
      {onWithdraw && (
        <Button
          size="compact-sm"
          variant="default"
          onClick={onWithdraw}
          aria-label={t('consent.withdraw_named', { about })}
          data-testid="withdraw"
        >
          {t('consent.withdraw')}
        </Button>
      )}
    </li>
  );
}

/** The entries that are the newest of their channel and purpose: only these can be withdrawn. */
export function inForce(ledger: readonly Consent[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const newest = new Set<string>();
  for (const { id, channel, purpose, value_norm } of ledger) {
    const about = `${channel} ${purpose} ${value_norm ?? ''}`;
    if (!seen.has(about)) newest.add(id);
    seen.add(about);
  }
  return newest;
}

/** What the customer said about being contacted, and what follows from it now. Entries are added, never changed. */
export function Consents({ record, mayEdit }: { readonly record: CustomerRecord; readonly mayEdit: boolean }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [asked, setAsked] = useState(0);
  const ledger = useFetched(`${record.id} ${asked}`, (signal) => consentsOf(record.id, signal));
  const reload = () => setAsked((before) => before + 1);
  const newest = inForce(ledger.value ?? []);
  const withdraw = async ({ channel, purpose, legal_basis }: Consent) => {
    const entry = { channel, purpose, status: 'withdrawn' as const, legal_basis, source: 'call' };
    if (!(await action.run(() => recordConsent(record.id, entry)))) return;
    announcer.status(t('consent.added'));
    reload();
  };
  return (
    <div className={classes.stack}>
      <MayWe record={record} asked={asked} />
      <section aria-label={t('consent.title')} className={classes.stack}>
        <h3 className={classes.subheading}>{t('consent.title')}</h3>
        {mayEdit && (
          <details className={classes.more}>
            <summary data-testid="open-consent">{t('consent.add')}</summary>
            <AddConsent customerId={record.id} onAdded={reload} />
          </details>
        )}
        {ledger.error && <LoadProblem onRetry={ledger.reload} />}
        {ledger.value?.length === 0 && <p className="soft">{t('consent.none')}</p>}
        <Problem text={action.problem} />
        <ol className={classes.rows}>
          {ledger.value?.map((consent) => (
            <ConsentEntry
              key={consent.id}
              consent={consent}
              onWithdraw={
                mayEdit && consent.status === 'given' && newest.has(consent.id) ? () => void withdraw(consent) : null
              }
            />
          ))}
        </ol>
      </section>
    </div>
  );
}
