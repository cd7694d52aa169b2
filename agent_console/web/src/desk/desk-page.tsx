import { useLocalisation } from '../i18n/context';
import { useLive } from '../live/context';
import type { DeskView } from '../live/desk-view';
import { CustomerPane } from '../customers/customer-pane';
import { useLabels } from '../session/session';
import { Boundary } from '../shell/boundary';
import type { ContactView } from '../wire';
import { CallCard } from './call-card';
import { DraftsProvider } from './drafts-context';
import { IdleDesk } from './idle-desk';
import { RingCard } from './ring-card';
import { WrapUpCard } from './wrap-up-card';
import classes from './desk.module.css';

const TEST_IDS: Partial<Record<ContactView['state'], string>> = {
  offered: 'ring-card',
  dialling: 'call-card',
  connected: 'call-card',
  wrap_up: 'wrap-up',
};

function ActivityCard({ contact }: { readonly contact: ContactView }) {
  if (contact.state === 'offered') return <RingCard contact={contact} />;
  if (contact.state === 'wrap_up') return <WrapUpCard contact={contact} />;
  return <CallCard contact={contact} />;
}

/** The contact at hand beside its customer; the customer stays in place from the first ring to the end of the wrap-up. */
function ContactDesk({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  return (
    <section className={classes.desk} aria-label={t('desk.contact')} data-testid={TEST_IDS[contact.state]}>
      <ActivityCard contact={contact} />
      <Boundary>
        <CustomerPane contact={contact} />
      </Boundary>
    </section>
  );
}

/** An agent's place: the contact at hand, or what will come next. */
export default function DeskPage({ desk }: { readonly desk: DeskView }) {
  const { t } = useLocalisation();
  const labels = useLabels();
  const { seq } = useLive().floor;
  if (seq === null) return <p className="soft">{t('loading')}</p>;
  const { contact } = desk;
  return (
    <DraftsProvider>
      <h1 className="visually-hidden">{t('nav.desk')}</h1>
      {contact ? (
        <ContactDesk key={contact.contact_id} contact={contact} />
      ) : (
        <IdleDesk agent={desk.agent} queueName={labels.queue} />
      )}
    </DraftsProvider>
  );
}
