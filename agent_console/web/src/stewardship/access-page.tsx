import { Button, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { accesses, type Access, type AccessFilter } from '../api/privacy';
import { usePaged } from '../api/use-fetched';
import { CustomerLink } from '../customers/customer-link';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import { LEGAL_BASES, PURPOSES, said } from '../record/words';
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
  return (
    <>
      <PagesNav current="access" />
      <section className={`panel ${classes.stack}`} aria-label={t('access.title')}>
        <h1>{t('access.title')}</h1>
        <Filter onFilter={setFilter} />
        {list.error && <LoadProblem onRetry={list.reload} />}
        <div className={classes.scroll}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">{t('audit.when')}</th>
                <th scope="col">{t('audit.who')}</th>
                <th scope="col">{t('access.customer')}</th>
                <th scope="col">{t('audit.fields')}</th>
                <th scope="col">{t('sensitive.purpose')}</th>
                <th scope="col">{t('consent.basis')}</th>
              </tr>
            </thead>
            <tbody>
              {list.items.map((entry) => (
                <tr key={entry.id} data-testid="access-row">
                  <td>{format.dateTime(entry.at)}</td>
                  <td>{entry.actor_id}</td>
                  <td>
                    <CustomerLink customerId={entry.customer_id} />
                  </td>
                  <td className="wrap-anywhere">{entry.fields.join(', ')}</td>
                  <td>{said(PURPOSES, entry.purpose, t)}</td>
                  <td>{said(LEGAL_BASES, entry.legal_basis, t)}</td>
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
