import { Skeleton, Tabs } from '@mantine/core';
import { useState } from 'react';
import { may } from '../api/permissions';
import { customerRecord, type CustomerRecord } from '../api/record';
import type { Receipt } from '../api/stewardship';
import { useFetched } from '../api/use-fetched';
import { initialsOf } from '../customers/customer-summary';
import { CustomerLink } from '../customers/customer-link';
import { LevelBadge } from '../customers/level-badge';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import { useSignedIn } from '../session/session';
import { addressOf } from '../shell/route';
import { Changes } from './changes';
import { Completeness } from './completeness';
import { Consents } from './consents';
import { Details } from './details';
import { Files } from './files';
import { STAGES } from './fields';
import { Promises } from './promises';
import { Points } from './points';
import { Preferences } from './preferences';
import { Relations } from './relations';
import { SensitiveFields } from './sensitive';
import { ReceiptView, Rights } from './rights';
import { Standing } from './standing';
import { Tastes } from './tastes';
import { WholeTimeline } from './whole-timeline';
import { said } from './words';
import classes from './record.module.css';

function Head({ record }: { readonly record: CustomerRecord }) {
  const { t, format } = useLocalisation();
  const stage = record.profile.lifecycle_stage;
  return (
    <header className={classes.head}>
      <span className={classes.avatar} aria-hidden="true">
        {initialsOf(record.display_name)}
      </span>
      <div>
        <h1 className={classes.name} data-testid="customer-name">
          {record.display_name}
        </h1>
        <p className={classes.badges}>
          <LevelBadge level={record.level_badge} code={record.level} />
          <span className="pill tone-quiet">{record.kind === 'org' ? t('kind.org') : t('kind.person')}</span>
          {stage && <span className="pill tone-engaged">{said(STAGES, stage, t)}</span>}
          <span className="soft">{t('record.since', { day: format.day(record.created_at) })}</span>
        </p>
      </div>
    </header>
  );
}

/** Somebody who is no customer of their own any more. */
function Gone({ record }: { readonly record: CustomerRecord }) {
  const { t } = useLocalisation();
  if (record.merged_into !== null) {
    return (
      <p className={`${classes.notice} tone-attention`} data-testid="merged-into">
        {t('record.merged')} <CustomerLink customerId={record.merged_into} />
      </p>
    );
  }
  return <p className={`${classes.notice} tone-attention`}>{t('record.erased')}</p>;
}

function Loaded({ fetched, reload }: { readonly fetched: CustomerRecord; readonly reload: () => void }) {
  const { t } = useLocalisation();
  const { person } = useSignedIn();
  const [saved, setSaved] = useState(fetched);
  const [receipt, setReceipt] = useState<Receipt | null>(null);
  const record = saved.row_version > fetched.row_version ? saved : fetched;
  const mayEdit = may(person, 'write') && record.status === 'active';
  // Nothing of the person is shown any more, not even what this page had read.
  if (receipt) return <ReceiptView receipt={receipt} />;
  const part = { record, mayEdit, onSaved: setSaved, onChanged: reload };
  return (
    <div data-testid="customer-page">
      <Head record={record} />
      {record.status !== 'active' && <Gone record={record} />}
      <div className={classes.columns}>
        <div className={`panel ${classes.reach}`}>
          <Points {...part} />
        </div>
        <div className={`panel ${classes.happenings}`}>
          <Tabs defaultValue="timeline" keepMounted={false}>
            <Tabs.List aria-label={t('record.parts')} className={classes.tabs}>
              <Tabs.Tab value="timeline">{t('timeline.title')}</Tabs.Tab>
              <Tabs.Tab value="details" data-testid="tab-details">
                {t('record.details')}
              </Tabs.Tab>
              <Tabs.Tab value="promises" data-testid="tab-promises">
                {t('promise.title')}
              </Tabs.Tab>
              <Tabs.Tab value="consents" data-testid="tab-consents">
                {t('record.consents')}
              </Tabs.Tab>
              <Tabs.Tab value="changes" data-testid="tab-changes">
                {t('record.changes')}
              </Tabs.Tab>
              <Tabs.Tab value="files" data-testid="tab-files">
                {t('record.files')}
              </Tabs.Tab>
              {may(person, 'privacy') && (
                <Tabs.Tab value="rights" data-testid="tab-rights">
                  {t('record.rights')}
                </Tabs.Tab>
              )}
            </Tabs.List>
            <Tabs.Panel value="timeline">
              <WholeTimeline customerId={record.id} version={String(record.row_version)} mayWrite={mayEdit} />
            </Tabs.Panel>
            <Tabs.Panel value="details">
              <Details record={record} mayEdit={mayEdit} onSaved={setSaved} />
              {record.status === 'active' && <SensitiveFields customerId={record.id} />}
            </Tabs.Panel>
            <Tabs.Panel value="promises">
              <Promises customerId={record.id} mayEdit={mayEdit} />
            </Tabs.Panel>
            <Tabs.Panel value="consents">
              <Consents record={record} mayEdit={mayEdit} />
            </Tabs.Panel>
            <Tabs.Panel value="changes">
              <Changes customerId={record.id} version={record.row_version} />
            </Tabs.Panel>
            <Tabs.Panel value="rights">
              <Rights record={record} mayMerge={may(person, 'merge')} onChanged={reload} onErased={setReceipt} />
            </Tabs.Panel>
            <Tabs.Panel value="files">
              <Files customerId={record.id} mayEdit={mayEdit} />
            </Tabs.Panel>
          </Tabs>
        </div>
        <div className={`panel ${classes.aside}`}>
          <Standing {...part} />
          <Preferences {...part} />
          <Tastes record={record} mayEdit={mayEdit} onChanged={reload} />
          <Relations {...part} />
          <Completeness record={record} />
        </div>
      </div>
    </div>
  );
}

/** Everything that is known of one customer, and where it is changed. */
export default function RecordPage({ customerId }: { readonly customerId: string }) {
  const { t } = useLocalisation();
  const record = useFetched(customerId, (signal) => customerRecord(customerId, signal));
  return (
    <>
      <p>
        <a href={addressOf({ page: 'customers' })}>{t('customers.back')}</a>
      </p>
      {record.error?.status === 404 && <p data-testid="no-customer">{t('problem.not_found')}</p>}
      {record.error && record.error.status !== 404 && <LoadProblem onRetry={record.reload} />}
      {!record.value && !record.error && <Skeleton height={240} />}
      {record.value && <Loaded key={customerId} fetched={record.value} reload={record.reload} />}
    </>
  );
}
