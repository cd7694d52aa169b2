import { Button, TextInput } from '@mantine/core';
import { useEffect, useId, useRef, useState, type SubmitEvent } from 'react';
import { Elapsed } from '../clock';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { usePhone } from '../softphone/context';
import type { ConsultState, ContactView } from '../wire';
import { callOrders, digitsIn, KEYPAD, mayTransfer, whyNot } from './call-orders';
import { CallTargetInput, NOBODY_YET, useTargetName } from './call-target';
import { keysOf, useShortcuts, type ShortcutActions } from './shortcuts';
import classes from './desk.module.css';

const CONSULTS: Readonly<Record<ConsultState, Key>> = {
  seeking: 'consult.seeking',
  talking: 'consult.talking',
  held: 'consult.held',
  conference: 'consult.in_conference',
};

/** Who else is in the conversation, and whether the customer hears music. */
function Parties({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const nameOf = useTargetName();
  const { consult_state: state, consult_kind, held_since } = contact;
  const target = nameOf(contact.consult_target_kind, contact.consult_target);
  const handing = state === 'seeking' && consult_kind === 'transfer';
  return (
    <>
      {held_since !== null && (
        <p className={`${classes.party} tone-pause`} data-testid="on-hold">
          <Icon name="pause" /> {t('call.on_hold')} <Elapsed since={held_since} />
        </p>
      )}
      {state !== null && (
        <p className={`${classes.party} tone-engaged`} data-testid="consult" data-state={state}>
          <Icon name="users" /> {t(handing ? 'consult.handing' : CONSULTS[state], { target })}
        </p>
      )}
    </>
  );
}

function TransferPanel({ contact, onClose }: { readonly contact: ContactView; readonly onClose: () => void }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const [target, setTarget] = useState(NOBODY_YET);
  const first = useRef<HTMLSelectElement>(null);
  useEffect(() => first.current?.focus(), []);
  const missing = target.target.trim() === '';
  const ask = (intent: 'contact.transfer' | 'contact.consult') =>
    send(intent, { contact_id: contact.contact_id, ...target, target: target.target.trim() }, onClose);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!missing) ask('contact.consult');
  };
  return (
    <form onSubmit={submit} className={classes.transfer} aria-label={t('transfer.title')} data-testid="transfer-panel">
      <CallTargetInput kinds={['agent', 'queue', 'number']} value={target} onChange={setTarget} inputRef={first} />
      <div className={classes.actions}>
        <Button
          type="submit"
          disabled={missing}
          loading={isPending(pending, 'contact.consult', contact.contact_id)}
          data-testid="consult-start"
        >
          {t('transfer.ask_first')}
        </Button>
        <Button
          variant="default"
          disabled={missing}
          loading={isPending(pending, 'contact.transfer', contact.contact_id)}
          onClick={() => ask('contact.transfer')}
          data-testid="transfer-now"
        >
          {t('transfer.now')}
        </Button>
        <Button variant="subtle" onClick={onClose}>
          {t('action.cancel')}
        </Button>
      </div>
    </form>
  );
}

/** A telephone's keys; digits may be typed or pasted, too. Nothing of it is kept. */
function Keypad({ contactId }: { readonly contactId: string }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const [text, setText] = useState('');
  const press = (digits: string) => {
    if (digits) send('contact.send_digits', { contact_id: contactId, digits });
  };
  return (
    <div className={classes.keypad} role="group" aria-label={t('keypad.title')} data-testid="keypad-panel">
      <div className={classes.keys}>
        {KEYPAD.map((key) => (
          <Button key={key} variant="default" onClick={() => press(key)} data-testid={`key-${key}`}>
            {key}
          </Button>
        ))}
      </div>
      <form
        className={classes.target}
        onSubmit={(event) => {
          event.preventDefault();
          press(digitsIn(text));
          setText('');
        }}
      >
        <TextInput
          label={t('keypad.type')}
          inputMode="tel"
          autoComplete="off"
          value={text}
          onChange={(event) => setText(digitsIn(event.currentTarget.value))}
          maxLength={64}
          data-testid="digits"
        />
        <Button type="submit" variant="light" disabled={text === ''} data-testid="send-digits">
          {t('keypad.send')}
        </Button>
      </form>
    </div>
  );
}

type Panel = 'transfer' | 'keypad' | null;

/** What can be done with a conversation besides ending it. */
export function CallControls({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const { state: phone } = usePhone();
  const [panel, setPanel] = useState<Panel>(null);
  const about = { contact_id: contact.contact_id };
  const orders = callOrders(contact);
  const transferable = mayTransfer(contact);
  const talks = contact.state === 'connected';
  // A browser that is the phone has its own keypad beside the microphone.
  const withKeypad = talks && !phone.call;
  const refused = whyNot(contact);
  const reasonId = useId();
  const barred = refused === null ? {} : { disabled: true, 'aria-describedby': reasonId };
  const open = refused === null ? panel : null;
  const toggle = (wanted: Panel) => setPanel(panel === wanted ? null : wanted);
  const shortcuts: ShortcutActions = Object.fromEntries(
    orders.map(({ shortcut, intent }) => [shortcut, () => send(intent, about)]),
  );
  useShortcuts(
    refused === null
      ? {
          ...shortcuts,
          ...(transferable && { transfer: () => toggle('transfer') }),
          ...(withKeypad && { keypad: () => toggle('keypad') }),
        }
      : {},
  );
  if (!talks) return null;
  return (
    <section aria-label={t('call.controls')} className={classes.controls} data-testid="call-controls">
      <Parties contact={contact} />
      {refused !== null && (
        <p className={`${classes.party} soft`} id={reasonId} data-testid="orders-refused">
          <Icon name="users" /> {t(refused)}
        </p>
      )}
      <div className={classes.actions}>
        {orders.map(({ intent, label, shortcut, testId }) => (
          <Button
            key={intent}
            variant="default"
            loading={isPending(pending, intent, contact.contact_id)}
            onClick={() => send(intent, about)}
            title={refused === null ? keysOf(shortcut) : t(refused)}
            {...barred}
            data-testid={testId}
          >
            {t(label)}
          </Button>
        ))}
        {transferable && (
          <Button
            variant="default"
            aria-expanded={open === 'transfer'}
            onClick={() => toggle('transfer')}
            title={refused === null ? keysOf('transfer') : t(refused)}
            {...barred}
            data-testid="transfer"
          >
            {t('call.transfer')}
          </Button>
        )}
        {withKeypad && (
          <Button
            variant="default"
            aria-expanded={open === 'keypad'}
            onClick={() => toggle('keypad')}
            title={refused === null ? keysOf('keypad') : t(refused)}
            {...barred}
            data-testid="open-keypad"
          >
            {t('keypad.title')}
          </Button>
        )}
      </div>
      {open === 'transfer' && transferable && <TransferPanel contact={contact} onClose={() => setPanel(null)} />}
      {open === 'keypad' && withKeypad && <Keypad contactId={contact.contact_id} />}
    </section>
  );
}
