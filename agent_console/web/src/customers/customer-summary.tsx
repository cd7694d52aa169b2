import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import { customerCard, type CustomerCard } from '../api/customers';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import { LANGUAGES, supported } from '../i18n/translate';
import { Icon } from '../icons';
import { RecentInteractions } from './interaction-lines';
import { LoadProblem } from './load-problem';
import classes from './customers.module.css';

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
      {card.level && <span className="pill tone-after">{card.level}</span>}
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
      {withRecent && <RecentInteractions lines={card.value.last_interactions} />}
    </div>
  );
}
