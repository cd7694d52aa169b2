import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import { customerCard, type CustomerCard } from '../api/customers';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import { LANGUAGES, supported } from '../i18n/translate';
import { Icon } from '../icons';
import { LevelBadge } from './level-badge';
import { CHANNELS, PURPOSES, RELATIONS, said, TASTES } from '../record/words';
import { addressOf } from '../shell/route';
import { RecentInteractions } from './interaction-lines';
import { LoadProblem } from './load-problem';
import classes from './customers.module.css';

/** Interactions that can be taken in before one says hello. */
const SHOWN_WHILE_RINGING = 3;

/** The letters that stand for a name where there is no picture: first and last of several words, one of a Chinese name. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => Array.from(word ?? '')[0] ?? '')
    .join('')
    .toUpperCase();
}

function Badges({ card }: { readonly card: CustomerCard }) {
  const { t } = useLocalisation();
  const language = supported(card.preferred_language);
  return (
    <p className={classes.badges}>
      <LevelBadge level={card.badge} code={card.level} />
      {card.is_repeat_caller && (
        <span className="pill tone-attention" data-testid="repeat-caller">
          <Icon name="phoneIn" size={16} /> {t.count('customer.contacts_in_week', card.contacts_in_window)}
        </span>
      )}
      {language && (
        <span className="pill tone-quiet" lang={LANGUAGES[language].tag}>
          {LANGUAGES[language].name}
        </span>
      )}
    </p>
  );
}

function CustomerHead({ card, children }: { readonly card: CustomerCard; readonly children?: ReactNode }) {
  const points = [...card.numbers, ...card.emails];
  return (
    <div className={classes.head}>
      <span className={classes.avatar} aria-hidden="true">
        {initialsOf(card.display_name)}
      </span>
      <div className={classes.headText}>
        <h2 className={classes.name} data-testid="customer-name">
          {card.display_name}
        </h2>
        <p className="soft wrap-anywhere">{points.map((point) => point.value).join(' · ')}</p>
        <Badges card={card} />
      </div>
      {children}
    </div>
  );
}

/** How the customer likes to be reached, one line for each purpose. */
function Preferred({ card }: { readonly card: CustomerCard }) {
  const { t } = useLocalisation();
  const wishes = card.wishes ?? [];
  if (card.preferences.length === 0 && wishes.length === 0) return null;
  return (
    <section aria-label={t('preference.title')} data-testid="card-preferences">
      <h3 className={classes.heading}>{t('preference.title')}</h3>
      <ul className={classes.plain}>
        {card.preferences.map(({ purpose, channel, language }) => {
          const spoken = supported(language);
          const how = said(CHANNELS, channel, t);
          return (
            <li key={purpose}>
              <span className="soft">{said(PURPOSES, purpose, t)}</span>{' '}
              {spoken ? `${how} · ${LANGUAGES[spoken].name}` : how}
            </li>
          );
        })}
        {wishes.map(({ kind, value }) => (
          <li key={`${kind} ${value}`} data-testid="card-wish">
            <span className="soft">{said(TASTES, kind, t)}</span> {value}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What the customer waits for; what is overdue says so in words. */
function Promised({ card }: { readonly card: CustomerCard }) {
  const { t, format } = useLocalisation();
  if (card.promises.length === 0) return null;
  return (
    <section aria-label={t('promise.due_title')} data-testid="card-promises">
      <h3 className={classes.heading}>{t('promise.due_title')}</h3>
      <ul className={classes.plain}>
        {card.promises.map((promise) => (
          <li key={promise.id}>
            {promise.is_overdue && <span className="pill tone-bad">{t('promise.overdue')}</span>} {promise.what}{' '}
            <span className="soft">{t('promise.due', { at: format.dateTime(promise.due_at) })}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Whom the customer has to do with: a spouse who may ask, the firm somebody calls for. */
function Related({ card }: { readonly card: CustomerCard }) {
  const { t } = useLocalisation();
  if (card.related.length === 0) return null;
  return (
    <section aria-label={t('relation.title')} data-testid="card-related">
      <h3 className={classes.heading}>{t('relation.title')}</h3>
      <ul className={classes.plain}>
        {card.related.map(({ customer_id, display_name, type, is_from }) => (
          <li key={`${customer_id} ${type} ${is_from}`}>
            <span className="soft">
              {t(is_from ? 'relation.of' : 'relation.is', { what: said(RELATIONS, type, t) })}
            </span>{' '}
            <a href={addressOf({ page: 'customer', customerId: customer_id })}>{display_name}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface CustomerSummaryProps {
  readonly customerId: string;
  /** Shown at the end of the head: what can be done with this customer. */
  readonly children?: ReactNode;
  readonly withRecent: boolean;
}

/** Who a customer is and what happened last. */
export function CustomerSummary({ customerId, children, withRecent }: CustomerSummaryProps) {
  const card = useFetched(customerId, (signal) => customerCard(customerId, signal));
  if (card.error && !card.value) return <LoadProblem onRetry={card.reload} />;
  if (!card.value) {
    return (
      <div className={classes.stack}>
        <Skeleton height={56} circle />
        <Skeleton height={18} width="60%" />
        <Skeleton height={80} />
      </div>
    );
  }
  return (
    <div className={classes.stack}>
      <CustomerHead card={card.value}>{children}</CustomerHead>
      <Promised card={card.value} />
      <Preferred card={card.value} />
      <Related card={card.value} />
      {withRecent && <RecentInteractions lines={card.value.last_interactions.slice(0, SHOWN_WHILE_RINGING)} />}
    </div>
  );
}
