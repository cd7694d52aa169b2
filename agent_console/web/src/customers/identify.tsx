import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { lookUpNumber, type Candidate } from '../api/customers';
import { useFetched } from '../api/use-fetched';
import { useServerNow } from '../clock';
import { hasNumber, numberOf, sentName } from '../desk/caller';
import { useLocalisation } from '../i18n/context';
import { supported } from '../i18n/translate';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import type { ContactView } from '../wire';
import { LevelBadge } from './level-badge';
import { LoadProblem } from './load-problem';
import { NewCustomerForm } from './new-customer-form';
import classes from './customers.module.css';

/** Tells the server which customer a contact is from. */
function useIdentify(contact: ContactView): { identify: (customerId: string) => void; busy: boolean } {
  const { send } = useConnection();
  const { pending } = useLive();
  return {
    identify: (customerId) => send('contact.identify', { contact_id: contact.contact_id, customer_id: customerId }),
    busy: isPending(pending, 'contact.identify', contact.contact_id),
  };
}

function CandidateRow({
  candidate,
  onChoose,
  busy,
}: {
  readonly candidate: Candidate;
  readonly onChoose: () => void;
  readonly busy: boolean;
}) {
  const { t, format } = useLocalisation();
  const serverNow = useServerNow();
  return (
    <li className={classes.candidate}>
      <div>
        <strong>{candidate.display_name}</strong>
        <span className="soft">
          {candidate.last_contact_at
            ? t('match.last_contact', { ago: format.ago(candidate.last_contact_at, serverNow()) })
            : t('match.no_contact')}
        </span>
      </div>
      <LevelBadge level={candidate.badge} code={candidate.level} />
      <Button
        variant="default"
        disabled={busy}
        onClick={onChoose}
        data-testid="choose-customer"
        aria-label={t('match.choose_named', { name: candidate.display_name })}
      >
        {t('match.choose')}
      </Button>
    </li>
  );
}

/** Several customers have the caller's number: the agent asks and chooses. */
export function ChooseCustomer({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const { identify, busy } = useIdentify(contact);
  const found = useFetched(numberOf(contact), (signal) => lookUpNumber(numberOf(contact), signal));
  const [creating, setCreating] = useState(false);
  if (creating) return <CreateCustomer contact={contact} onCancel={() => setCreating(false)} />;
  return (
    <div className={classes.stack} data-testid="choose-customers">
      <PaneHead icon={<Icon name="users" size={22} />} title={t('match.many')} text={t('match.many_lead')} />
      {found.error && <LoadProblem onRetry={found.reload} />}
      <ul className={classes.candidates}>
        {found.value?.candidates.map((candidate) => (
          <CandidateRow
            key={candidate.customer_id}
            candidate={candidate}
            busy={busy}
            onChoose={() => identify(candidate.customer_id)}
          />
        ))}
      </ul>
      <div>
        <Button variant="subtle" leftSection={<Icon name="userPlus" />} onClick={() => setCreating(true)}>
          {t('match.somebody_new')}
        </Button>
      </div>
    </div>
  );
}

export function PaneHead({
  icon,
  title,
  text,
}: {
  readonly icon: ReactNode;
  readonly title: string;
  readonly text: string;
}) {
  return (
    <div className={classes.paneHead}>
      <span className={classes.avatar} aria-hidden="true">
        {icon}
      </span>
      <div>
        <h2 className={classes.name}>{title}</h2>
        <p className="soft">{text}</p>
      </div>
    </div>
  );
}

interface CreateCustomerProps {
  readonly contact: ContactView;
  readonly onCancel?: () => void;
}

/** Nobody has the caller's number yet: name and number are filled in as far as they are known. */
export function CreateCustomer({ contact, onCancel }: CreateCustomerProps) {
  const { t, language } = useLocalisation();
  const { identify, busy } = useIdentify(contact);
  return (
    <div className={classes.stack} data-testid="create-customer">
      <PaneHead icon={<Icon name="userPlus" size={22} />} title={t('create.title')} text={t('create.lead')} />
      <NewCustomerForm
        name={sentName(contact)}
        number={hasNumber(contact) ? numberOf(contact) : ''}
        speaks={supported(contact.language) ?? language}
        busy={busy}
        onEntered={(customer) => identify(customer.id)}
        onCancel={onCancel}
      />
    </div>
  );
}
