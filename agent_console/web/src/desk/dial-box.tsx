import { Button, TextInput } from '@mantine/core';
import { useRef, useState, type SubmitEvent } from 'react';
import { Elapsed } from '../clock';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { useSignedIn } from '../session/session';
import type { ContactView } from '../wire';
import { callerOf } from './caller';
import { CallTargetInput, NOBODY_YET } from './call-target';
import { keysOf, useShortcuts } from './shortcuts';
import classes from './desk.module.css';

/** Calling somebody: the own phone rings first. */
function Dial() {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const [target, setTarget] = useState(NOBODY_YET);
  const first = useRef<HTMLSelectElement>(null);
  useShortcuts({ dial: () => first.current?.focus() });
  const dial = (event: SubmitEvent) => {
    event.preventDefault();
    send('call.dial', { ...target, target: target.target.trim() }, () => setTarget(NOBODY_YET));
  };
  return (
    <form onSubmit={dial} className={`panel ${classes.dial}`} aria-label={t('dial.title')} data-testid="dial-box">
      <h3>{t('dial.title')}</h3>
      <CallTargetInput kinds={['number', 'agent']} value={target} onChange={setTarget} inputRef={first} />
      <div>
        <Button
          type="submit"
          leftSection={<Icon name="phoneOut" />}
          disabled={target.target.trim() === ''}
          loading={isPending(pending, 'call.dial')}
          title={keysOf('dial')}
          data-testid="dial"
        >
          {t('dial.call')}
        </Button>
      </div>
    </form>
  );
}

function ParkedCall({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const slot = contact.park_slot ?? '';
  return (
    <li className={classes.parked} data-testid="parked-call">
      <span>
        <strong>{callerOf(contact, t)}</strong>{' '}
        <span className="soft">
          {t('park.slot', { slot })} · <Elapsed since={contact.held_since ?? contact.arrived_at} />
        </span>
      </span>
      <Button
        variant="default"
        loading={isPending(pending, 'park.retrieve')}
        onClick={() => send('park.retrieve', { slot })}
        aria-label={t('park.retrieve_named', { caller: callerOf(contact, t) })}
        data-testid="retrieve"
      >
        {t('park.retrieve')}
      </Button>
    </li>
  );
}

/** Calls in park slots: those that this person sees, and any other by its slot. */
function Parked() {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { floor, pending } = useLive();
  const [slot, setSlot] = useState('');
  const parked = [...floor.contacts.values()].filter((contact) => contact.state === 'parked');
  const retrieve = (event: SubmitEvent) => {
    event.preventDefault();
    send('park.retrieve', { slot: slot.trim() }, () => setSlot(''));
  };
  return (
    <section className={`panel ${classes.dial}`} aria-label={t('park.title')}>
      <h3>{t('park.title')}</h3>
      {parked.length > 0 && (
        <ul className={classes.parkedList}>
          {parked.map((contact) => (
            <ParkedCall key={contact.contact_id} contact={contact} />
          ))}
        </ul>
      )}
      <form onSubmit={retrieve} className={classes.target}>
        <TextInput
          label={t('park.slot_label')}
          value={slot}
          onChange={(event) => setSlot(event.currentTarget.value)}
          maxLength={20}
          autoComplete="off"
          data-testid="park-slot"
        />
        <Button
          type="submit"
          variant="default"
          disabled={slot.trim() === ''}
          loading={isPending(pending, 'park.retrieve')}
          data-testid="retrieve-slot"
        >
          {t('park.retrieve')}
        </Button>
      </form>
    </section>
  );
}

/** What an agent without a contact can begin: a call, or one that waits in a park slot. */
export function DialBox() {
  const { person } = useSignedIn();
  if (person.agent_id === null) return null;
  return (
    <div className={classes.dialRow}>
      <Dial />
      <Parked />
    </div>
  );
}
