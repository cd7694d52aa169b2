import { Button, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { accesses, type Access, type AccessFilter } from '../api/privacy';
import { usePaged } from '../api/use-fetched';
import { CustomerLink } from '../customers/customer-link';
import { useLocalisation } from '../i18n/context';
import { LEGAL_BASES, PURPOSES, said } from '../record/words';
import { LogTable, type Column } from './log-table';
import { PagesNav } from './pages-nav';
import classes from './stewardship.module.css';

const A_PAGE = 50;

function Filter({ onFilter }: { readonly onFilter: (filter: AccessFilter) => void }) {
  const { t } = useLocalisation();
  const [actor, setActor] = useState('');
  const [customer, setCustomer] = useState('');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onFilter({ actor: actor.trim(), customer_id: customer.trim() });
  };
  return (
    <form onSubmit={submit} className={classes.filter}>
      <TextInput
        label={t('audit.who')}
        value={actor}
        onChange={(event) => setActor(event.currentTarget.value)}
        maxLength={64}
        data-testid="access-actor"
      />
      <TextInput
        label={t('access.customer')}
        value={customer}
        onChange={(event) => setCustomer(event.currentTarget.value)}
        inputMode="numeric"
        pattern="[0-9]*"
        maxLength={19}
        data-testid="access-customer"
      />
      <Button type="submit" variant="light" data-testid="access-filter">
        {t('audit.filter')}
      </Button>
    </form>
  );
}

/** Who has looked at whose sensitive fields, what for, and on which legal ground. */
export default function AccessPage() {
  const { t, format } = useLocalisation();
  const [filter, setFilter] = useState<AccessFilter>({});
  const list = usePaged<Access>(JSON.stringify(filter), async (cursor, signal) => {
    const items = await accesses(filter, cursor, signal);
    return { items, next_cursor: items.length === A_PAGE ? (items.at(-1)?.id ?? null) : null };
  });
  const columns: readonly Column<Access>[] = [
    { heading: 'audit.when', cell: ({ at }) => format.dateTime(at) },
    { heading: 'audit.who', cell: ({ actor_id }) => actor_id },
    { heading: 'access.customer', cell: ({ customer_id }) => <CustomerLink customerId={customer_id} /> },
    { heading: 'audit.fields', cell: ({ fields }) => fields.join(', '), wraps: true },
    { heading: 'sensitive.purpose', cell: ({ purpose }) => said(PURPOSES, purpose, t) },
    { heading: 'consent.basis', cell: ({ legal_basis }) => said(LEGAL_BASES, legal_basis, t) },
  ];
  return (
    <>
      <PagesNav current="access" />
      <section className={`panel ${classes.stack}`} aria-label={t('access.title')}>
        <h1>{t('access.title')}</h1>
        <Filter onFilter={setFilter} />
        <LogTable entries={list} columns={columns} keyOf={({ id }) => id} none="audit.none" rowTestId="access-row" />
      </section>
    </>
  );
}
