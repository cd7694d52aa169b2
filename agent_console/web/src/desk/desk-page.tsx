import { useState } from 'react';
import { useLocalisation } from '../i18n/context';
import { ItemCard, ItemOfferCard } from '../items/item-card';
import { WorkList } from '../items/work-list';
import { useLive } from '../live/context';
import { isKept, type DeskView } from '../live/desk-view';
import { CustomerPane } from '../customers/customer-pane';
import { useLabels } from '../session/session';
import { Boundary } from '../shell/boundary';
import type { ContactView } from '../wire';
import { CallCard } from './call-card';
import { DraftsProvider } from './drafts-context';
import { IdleDesk } from './idle-desk';
import { KeptCard } from './kept-card';
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
  const { floor } = useLive();
  if (contact.state === 'wrap_up') return <WrapUpCard contact={contact} />;
  if (contact.channel !== 'voice')
    return contact.state === 'offered' ? <ItemOfferCard item={contact} /> : <ItemCard item={contact} />;
  if (isKept(floor.agents.get(contact.agent_id ?? '') ?? null, contact)) return <KeptCard contact={contact} />;
  if (contact.state === 'offered') return <RingCard contact={contact} />;
  return <CallCard contact={contact} />;
}

/** The contact at hand beside its customer; the customer stays in place from the first ring to the end of the wrap-up. */
function ContactDesk({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const isItem = contact.channel !== 'voice' && contact.state !== 'wrap_up';
  const testId = isItem ? 'item-card' : TEST_IDS[contact.state];
  return (
    <section className={classes.desk} aria-label={t('desk.contact')} data-testid={testId}>
      <ActivityCard contact={contact} />
      <Boundary>
        <CustomerPane contact={contact} />
      </Boundary>
    </section>
  );
}

/** What an agent chose to look at, as long as the same call, or none, is there: a call that comes goes to the front. */
interface Chosen {
  readonly contactId: string;
  readonly beside: string | null;
}

/** An agent's place: what is at hand, one of it in full, or what will come next. */
export default function DeskPage({ desk }: { readonly desk: DeskView }) {
  const { t } = useLocalisation();
  const labels = useLabels();
  const { seq } = useLive().floor;
  const [chosen, setChosen] = useState<Chosen | null>(null);
  if (seq === null) return <p className="soft">{t('loading')}</p>;
  const works = desk.contact ? [desk.contact, ...desk.items] : desk.items;
  const beside = desk.contact?.contact_id ?? null;
  const wanted = chosen?.beside === beside ? chosen.contactId : null;
  const contact = works.find(({ contact_id }) => contact_id === wanted) ?? works[0] ?? null;
  return (
    <DraftsProvider>
      <h1 className="visually-hidden">{t('nav.desk')}</h1>
      {contact && desk.items.length > 0 && (
        <WorkList
          agent={desk.agent}
          works={works}
          shown={contact.contact_id}
          onShow={(contactId) => setChosen({ contactId, beside })}
        />
      )}
      {contact ? (
        <ContactDesk key={contact.contact_id} contact={contact} />
      ) : (
        <IdleDesk agent={desk.agent} queueName={labels.queue} />
      )}
    </DraftsProvider>
  );
}
