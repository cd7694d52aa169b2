import { Button, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { auditChain, auditEntries, type AuditEntry, type AuditFilter } from '../api/stewardship';
import { usePaged } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useAnnouncer } from '../shell/announcer';
import { LogTable, type Column } from './log-table';
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
  const columns: readonly Column<AuditEntry>[] = [
    { heading: 'audit.when', cell: ({ at }) => format.dateTime(at) },
    { heading: 'audit.who', cell: ({ actor_id }) => actor_id },
    { heading: 'audit.action', cell: ({ action }) => action },
    { heading: 'audit.table', cell: ({ table_name }) => table_name },
    { heading: 'audit.row', cell: ({ row_key }) => row_key, wraps: true },
    { heading: 'audit.fields', cell: ({ fields }) => fields.join(', '), wraps: true },
  ];
  return (
    <>
      <PagesNav current="audit" />
      <section className={`panel ${classes.stack}`} aria-label={t('audit.title')}>
        <div className={classes.headingRow}>
          <h1>{t('audit.title')}</h1>
          <Chain />
        </div>
        <Filter onFilter={setFilter} />
        <LogTable entries={list} columns={columns} keyOf={({ seq }) => seq} none="audit.none" rowTestId="audit-row" />
      </section>
    </>
  );
}
