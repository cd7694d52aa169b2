import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState, type KeyboardEvent } from 'react';
import { recentInteractions, searchCustomers, type CustomerSummary as Found, type Interaction } from '../api/customers';
import { may } from '../api/permissions';
import { levels, type Level } from '../api/record';
import { useFetched, usePaged } from '../api/use-fetched';
import { useServerNow } from '../clock';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useSignedIn } from '../session/session';
import { addressOf } from '../shell/route';
import { PagesNav } from '../stewardship/pages-nav';
import { initialsOf } from './customer-summary';
import { InteractionSummary } from './interaction-lines';
import { LevelBadge } from './level-badge';
import { LoadProblem } from './load-problem';
import { NewCustomerForm } from './new-customer-form';
import classes from './customers.module.css';

/** Milliseconds after the last key press at which a search starts. */
const SEARCH_AFTER = 250;

/** Moves the focus along the links of a list with the arrow keys. */
function moveAlong(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || event.nativeEvent.isComposing) return;
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-stop]')];
  const here = stops.findIndex((stop) => stop === document.activeElement || stop.contains(document.activeElement));
  const next = stops[Math.min(stops.length - 1, Math.max(0, here + step))];
  if (!next) return;
  event.preventDefault();
  (next.matches('a, input') ? next : next.querySelector<HTMLElement>('input'))?.focus();
}

interface FoundCustomerProps {
  readonly customer: Found;
  /** The levels there are, with their colours; a code that is not among them shows as it is. */
  readonly levels: readonly Level[];
}

function FoundCustomer({ customer, levels: known }: FoundCustomerProps) {
  const { t, format } = useLocalisation();
  const serverNow = useServerNow();
  const level = known.find(({ code }) => code === customer.level);
  return (
    <li>
      <a
        className={classes.result}
        href={addressOf({ page: 'customer', customerId: customer.id })}
        data-stop
        data-testid="customer-row"
      >
        <span className={classes.avatar} aria-hidden="true">
          {initialsOf(customer.display_name)}
        </span>
        <span>
          <strong>{customer.display_name}</strong>
          <span className="soft">
            {customer.last_contact_at
              ? t('match.last_contact', { ago: format.ago(customer.last_contact_at, serverNow()) })
              : t('match.no_contact')}
          </span>
        </span>
        <LevelBadge level={level} code={customer.level} />
      </a>
    </li>
  );
}

function CustomerSearch() {
  const { t, language } = useLocalisation();
  const { person } = useSignedIn();
  const [text, setText] = useState('');
  const [entering, setEntering] = useState(false);
  const [query] = useDebouncedValue(text.trim(), SEARCH_AFTER);
  const list = usePaged(query, (cursor, signal) => searchCustomers(query, cursor, signal));
  const known = useFetched('levels', levels);
  const open = (customer: Found | undefined) => {
    if (customer) window.location.hash = addressOf({ page: 'customer', customerId: customer.id });
  };
  const onEnter = (event: KeyboardEvent) => {
    // What is shown must belong to what was typed, or Enter would open somebody else.
    if (event.key === 'Enter' && !event.nativeEvent.isComposing && text.trim() === query) open(list.items[0]);
  };
  if (entering) {
    return (
      <section className={`panel ${classes.pane}`} aria-label={t('create.title')} data-testid="create-customer">
        <h2 className={classes.heading}>{t('create.title')}</h2>
        <NewCustomerForm
          name={/\d{3}/.test(text) ? '' : text.trim()}
          number={/\d{3}/.test(text) ? text.trim() : ''}
          speaks={language}
          inFull
          onEntered={open}
          onCancel={() => setEntering(false)}
        />
      </section>
    );
  }
  return (
    // The arrow keys only move the focus between controls that are there for every other key as well.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <section className={`panel ${classes.pane}`} aria-label={t('customers.title')} onKeyDown={moveAlong}>
      <div className={classes.searchHead}>
        <h2 className={classes.heading}>{t('customers.title')}</h2>
        {may(person, 'write') && (
          <Button
            variant="light"
            leftSection={<Icon name="userPlus" />}
            onClick={() => setEntering(true)}
            data-testid="new-customer"
          >
            {t('create.title')}
          </Button>
        )}
      </div>
      <div data-stop>
        <TextInput
          type="search"
          size="md"
          label={t('customers.search')}
          description={t('customers.search_lead')}
          leftSection={<Icon name="search" />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={onEnter}
          maxLength={100}
          data-testid="customer-search"
        />
      </div>
      {list.error && <LoadProblem onRetry={list.reload} />}
      {!list.loading && !list.error && list.items.length === 0 && <p className="soft">{t('customers.none')}</p>}
      <ul className={classes.results}>
        {list.items.map((customer) => (
          <FoundCustomer key={customer.id} customer={customer} levels={known.value ?? []} />
        ))}
      </ul>
      {list.more && (
        <Button variant="default" onClick={list.loadMore} loading={list.loading}>
          {t('action.load_more')}
        </Button>
      )}
    </section>
  );
}

function LatestInteraction({ interaction }: { readonly interaction: Interaction }) {
  const { from_value, from_name, to_value } = interaction;
  const party = interaction.direction === 'outbound' ? to_value : from_name || from_value;
  const who = interaction.customer_name ?? party;
  return (
    <li data-testid="interaction-row">
      <p className={classes.who}>
        {interaction.customer_id ? (
          <a href={addressOf({ page: 'customer', customerId: interaction.customer_id })}>{who}</a>
        ) : (
          <span>{who}</span>
        )}
      </p>
      <InteractionSummary line={interaction} />
    </li>
  );
}

function LatestInteractions() {
  const { t } = useLocalisation();
  const list = usePaged('all', recentInteractions);
  return (
    <section
      className={`panel ${classes.pane}`}
      aria-label={t('interactions.recent')}
      data-testid="recent-interactions"
    >
      <h2 className={classes.heading}>{t('interactions.recent')}</h2>
      {list.error && <LoadProblem onRetry={list.reload} />}
      {!list.loading && !list.error && list.items.length === 0 && (
        <p className="soft">{t('interactions.none_at_all')}</p>
      )}
      <ol className={classes.lines}>
        {list.items.map((interaction) => (
          <LatestInteraction key={interaction.id} interaction={interaction} />
        ))}
      </ol>
      {list.more && (
        <Button variant="default" onClick={list.loadMore} loading={list.loading}>
          {t('action.load_more')}
        </Button>
      )}
    </section>
  );
}

/** Finding customers. */
export default function CustomersPage() {
  const { t } = useLocalisation();
  return (
    <>
      <h1 className="visually-hidden">{t('nav.customers')}</h1>
      <PagesNav current="customers" />
      <div className={classes.columns}>
        <CustomerSearch />
        <LatestInteractions />
      </div>
    </>
  );
}
