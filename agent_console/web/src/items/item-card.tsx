import { Button } from '@mantine/core';
import { useState } from 'react';
import { Elapsed } from '../clock';
import { CallerBlock, CardHead, ContactFacts, Fact } from '../desk/caller-block';
import { CallTargetInput, useTargetName, type CallTarget } from '../desk/call-target';
import { useDraft } from '../desk/drafts-context';
import { NotesField } from '../desk/notes-field';
import { Countdown } from '../desk/ring-card';
import { keysOf } from '../desk/shortcuts';
import deskClasses from '../desk/desk.module.css';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { Player } from '../recordings/player';
import { useSignedIn } from '../session/session';
import type { ContactView } from '../wire';
import { CHANNELS } from './channels';
import classes from './items.module.css';

/** What can be heard of an item. */
export function ItemPlayer({ item }: { readonly item: ContactView }) {
  const { t } = useLocalisation();
  if (item.recording_id === null || item.parent_id === null)
    return item.channel === 'message' ? <p className="soft">{t('item.nothing_to_hear')}</p> : null;
  const { parent_id, recording_id, recording_ms } = item;
  return <Player source={{ contact_id: parent_id, recording_id, duration_ms: recording_ms }} />;
}

/** Calls whoever it is from: the own phone rings first. */
export function CallBack({ item }: { readonly item: ContactView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const { person } = useSignedIn();
  if (!/\d/.test(item.caller) || person.agent_id === null) return null;
  return (
    <Button
      variant="default"
      leftSection={<Icon name="phoneOut" />}
      loading={isPending(pending, 'call.dial')}
      onClick={() => send('call.dial', { target_kind: 'number', target: item.caller })}
      data-testid="item-call-back"
    >
      {t('voicemail.call_back')}
    </Button>
  );
}

interface HandOnProps {
  readonly item: ContactView;
  /** Somebody above hands it on from anywhere; an agent from the own desk. */
  readonly intent: 'contact.transfer' | 'contact.move';
}

/** Hands an item to a queue or a colleague. */
export function HandOn({ item, intent }: HandOnProps) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const [opened, setOpened] = useState(false);
  const [target, setTarget] = useState<CallTarget>({ target_kind: 'queue', target: '' });
  const nameOf = useTargetName();
  if (!opened) {
    return (
      <Button variant="default" onClick={() => setOpened(true)} data-testid="item-hand-on">
        {t('item.hand_on')}
      </Button>
    );
  }
  return (
    <form
      className={classes.handOn}
      onSubmit={(event) => {
        event.preventDefault();
        if (target.target) send(intent, { contact_id: item.contact_id, ...target }, () => setOpened(false));
      }}
    >
      <CallTargetInput kinds={['queue', 'agent']} value={target} onChange={setTarget} />
      <div className={deskClasses.actions}>
        <Button
          type="submit"
          disabled={!target.target}
          loading={isPending(pending, intent, item.contact_id)}
          data-testid="item-hand-on-now"
        >
          {target.target ? t('item.hand_to', { name: nameOf(target.target_kind, target.target) }) : t('item.hand_on')}
        </Button>
        <Button variant="subtle" color="gray" onClick={() => setOpened(false)}>
          {t('item.cancel')}
        </Button>
      </div>
    </form>
  );
}

/** An item that rings at this desk: taken or refused here, no phone rings. */
export function ItemOfferCard({ item }: { readonly item: ContactView }) {
  const { t } = useLocalisation();
  const { offered_at, offer_expires_at } = item;
  return (
    <article className={`panel ${deskClasses.card} ${deskClasses.ringing} tone-attention`}>
      <CardHead tone="tone-attention" icon={CHANNELS[item.channel].icon} title={t('item.offered')} />
      {offered_at !== null && offer_expires_at !== null && <Countdown from={offered_at} until={offer_expires_at} />}
      <CallerBlock contact={item} testId="item-caller" />
      <ContactFacts contact={item}>
        <Fact label={t('contact.waited')}>
          <Elapsed since={item.arrived_at} />
        </Fact>
      </ContactFacts>
      <div className={deskClasses.actions}>
        <OfferAnswers item={item} size="md" />
      </div>
    </article>
  );
}

/** Accept and decline. */
export function OfferAnswers({ item, size }: { readonly item: ContactView; readonly size: 'md' | 'xs' }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const about = { contact_id: item.contact_id };
  return (
    <>
      <Button
        color="teal.9"
        size={size}
        leftSection={<Icon name="check" />}
        loading={isPending(pending, 'offer.accept', item.contact_id)}
        onClick={() => send('offer.accept', about)}
        title={keysOf('accept')}
        data-testid="item-accept"
      >
        {t('item.accept')}
      </Button>
      <Button
        variant="default"
        size={size}
        loading={isPending(pending, 'offer.decline', item.contact_id)}
        onClick={() => send('offer.decline', about)}
        title={keysOf('decline')}
        data-testid="item-decline"
      >
        {t('item.decline')}
      </Button>
    </>
  );
}

/** An item in work: what it says, and what can be done with it. */
export function ItemCard({ item }: { readonly item: ContactView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const [draft, changeDraft] = useDraft(item);
  const about = { contact_id: item.contact_id };
  return (
    <article className={`panel ${deskClasses.card}`}>
      <CardHead tone="tone-engaged" icon={CHANNELS[item.channel].icon} title={t(CHANNELS[item.channel].label)}>
        {item.connected_at !== null && <Elapsed since={item.connected_at} />}
      </CardHead>
      <CallerBlock contact={item} testId="item-caller" />
      <ItemPlayer item={item} />
      {item.text !== '' && (
        <blockquote className={classes.text} data-testid="item-text">
          {item.text}
        </blockquote>
      )}
      <ContactFacts contact={item}>
        <Fact label={t('contact.waited')}>
          <Elapsed since={item.arrived_at} />
        </Fact>
      </ContactFacts>
      <NotesField notes={draft.notes} onChange={changeDraft} testId="item-notes" />
      <div className={deskClasses.actions}>
        <Button
          leftSection={<Icon name="check" />}
          loading={isPending(pending, 'contact.finish', item.contact_id)}
          onClick={() => send('contact.finish', about)}
          data-testid="item-done"
        >
          {t('voicemail.done')}
        </Button>
        <CallBack item={item} />
        <Button
          variant="default"
          loading={isPending(pending, 'contact.give_back', item.contact_id)}
          onClick={() => send('contact.give_back', about)}
          data-testid="item-give-back"
        >
          {t('item.give_back')}
        </Button>
        <HandOn item={item} intent="contact.transfer" />
      </div>
    </article>
  );
}
