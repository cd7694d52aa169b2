import { Button, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { auditChain, auditEntries, type AuditEntry, type AuditFilter } from '../api/stewardship';
import { usePaged } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useAnnouncer } from '../shell/announcer';
import { PagesNav } from './pages-nav';
import classes from './stewardship.module.css';

const A_PAGE = 50;

function Chain() {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [broken, setBroken] = useState<string | null | undefined>(undefined);
  const check = () =>
    action.run(async () => {
      const chain = await auditChain();
      setBroken(chain.first_broken);
      announcer.status(chain.is_whole ? t('audit.whole') : t('audit.broken', { seq: chain.first_broken ?? '' }));
    });
  return (
    <div className={classes.buttons}>
      <Button variant="light" loading={action.busy} onClick={() => void check()} data-testid="check-chain">
        {t('audit.check')}
      </Button>
      {broken !== undefined && (
        <span className={`pill ${broken === null ? 'tone-good' : 'tone-bad'}`} data-testid="chain">
          <Icon name={broken === null ? 'check' : 'warning'} size={16} />
          {broken === null ? t('audit.whole') : t('audit.broken', { seq: broken })}
        </span>
      )}
      <Problem text={action.problem} />
    </div>
  );
}

function Filter({ onFilter }: { readonly onFilter: (filter: AuditFilter) => void }) {
  const { t } = useLocalisation();
  const [table, setTable] = useState('');
  const [row, setRow] = useState('');
  const [actor, setActor] = useState('');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onFilter({ table: table.trim(), row_key: row.trim(), actor: actor.trim() });
  };
  return (
    <form onSubmit={submit} className={classes.filter}>
      <TextInput
        label={t('audit.who')}
        value={actor}
        onChange={(event) => setActor(event.currentTarget.value)}
        maxLength={64}
        data-testid="audit-actor"
      />
      <TextInput
        label={t('audit.table')}
        value={table}
        onChange={(event) => setTable(event.currentTarget.value)}
        maxLength={64}
        data-testid="audit-table"
      />
      <TextInput
        label={t('audit.row')}
        value={row}
        onChange={(event) => setRow(event.currentTarget.value)}
        maxLength={64}
      />
      <Button type="submit" variant="light" data-testid="audit-filter">
        {t('audit.filter')}
      </Button>
    </form>
  );
}

/** Who did what in the customer store, and whether the log is whole. Values are not in it. */
export default function AuditPage() {
  const { t, format } = useLocalisation();
  const [filter, setFilter] = useState<AuditFilter>({});
  const list = usePaged<AuditEntry>(JSON.stringify(filter), async (cursor, signal) => {
    const items = await auditEntries(filter, cursor, signal);
    return { items, next_cursor: items.length === A_PAGE ? (items.at(-1)?.seq ?? null) : null };
  });
  return (
    <>
      <PagesNav current="audit" />
      <section className={`panel ${classes.stack}`} aria-label={t('audit.title')}>
        <div className={classes.headingRow}>
          <h1>{t('audit.title')}</h1>
          <Chain />
        </div>
        <Filter onFilter={setFilter} />
        {list.error && <LoadProblem onRetry={list.reload} />}
        <div className={classes.scroll}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">{t('audit.when')}</th>
                <th scope="col">{t('audit.who')}</th>
                <th scope="col">{t('audit.action')}</th>
                <th scope="col">{t('audit.table')}</th>
                <th scope="col">{t('audit.row')}</th>
                <th scope="col">{t('audit.fields')}</th>
              </tr>
            </thead>
            <tbody>
              {list.items.map((entry) => (
                <tr key={entry.seq} data-testid="audit-row">
                  <td>{format.dateTime(entry.at)}</td>
                  <td>{entry.actor_id}</td>
                  <td>{entry.action}</td>
                  <td>{entry.table_name}</td>
                  <td className="wrap-anywhere">{entry.row_key}</td>
                  <td className="wrap-anywhere">{entry.fields.join(', ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {!list.loading && !list.error && list.items.length === 0 && <p className="soft">{t('audit.none')}</p>}
        {list.more && (
          <Button variant="default" onClick={list.loadMore} loading={list.loading}>
            {t('action.load_more')}
          </Button>
        )}
      </section>
    </>
  );
}
