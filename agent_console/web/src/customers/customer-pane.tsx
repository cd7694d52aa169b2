import { Button, Skeleton } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { addressOf } from '../shell/route';
import type { ContactView } from '../wire';
import { CustomerSummary } from './customer-summary';
import { ChooseCustomer, CreateCustomer, PaneHead } from './identify';
import classes from './customers.module.css';

// Nobody waits for these while a phone rings.
const Timeline = lazy(() => import('./timeline').then(({ Timeline }) => ({ default: Timeline })));
const SensitiveFields = lazy(() =>
  import('../record/sensitive').then(({ SensitiveFields }) => ({ default: SensitiveFields })),
);

function KnownCustomer({ contact, customerId }: { readonly contact: ContactView; readonly customerId: string }) {
  const { t } = useLocalisation();
  const ringing = contact.state === 'offered';
  return (
    <>
      <CustomerSummary customerId={customerId} withRecent={ringing}>
        <Button component="a" variant="subtle" size="sm" href={addressOf({ page: 'customer', customerId })}>
          {t('customer.open')}
        </Button>
      </CustomerSummary>
      {!ringing && (
        <Suspense>
          <SensitiveFields customerId={customerId} />
          <Timeline customerId={customerId} />
        </Suspense>
      )}
    </>
  );
}

function Searching() {
  const { t } = useLocalisation();
  return (
    <div className={classes.stack}>
      <PaneHead icon={<Icon name="search" size={22} />} title={t('match.pending')} text={t('match.pending_lead')} />
      <Skeleton height={18} width="60%" />
      <Skeleton height={18} width="45%" />
    </div>
  );
}

function Unavailable({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const [again, setAgain] = useState(false);
  if (again) return <ChooseCustomer contact={contact} />;
  return (
    <div className={classes.stack}>
      <PaneHead
        icon={<Icon name="warning" size={22} />}
        title={t('match.unavailable')}
        text={t('match.unavailable_lead')}
      />
      <div>
        <Button variant="default" onClick={() => setAgain(true)}>
          {t('action.try_again')}
        </Button>
      </div>
    </div>
  );
}

function Match({ contact }: { readonly contact: ContactView }) {
  const { state, customer_ids } = contact.customer;
  const [only] = customer_ids;
  if (state === 'one' && only !== undefined) return <KnownCustomer key={only} contact={contact} customerId={only} />;
  switch (state) {
    case 'pending':
      return <Searching />;
    case 'many':
      return <ChooseCustomer contact={contact} />;
    case 'unavailable':
      return <Unavailable contact={contact} />;
    default:
      return <CreateCustomer contact={contact} />;
  }
}

/** The customer beside the contact: known, to be chosen, or to be entered. */
export function CustomerPane({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const testId = contact.state === 'offered' ? 'ring-customer' : 'customer-pane';
  return (
    <section
      className={`panel ${classes.pane}`}
      aria-label={t('customer.label')}
      data-testid={testId}
      data-match={contact.customer.state}
    >
      <Match contact={contact} />
    </section>
  );
}
