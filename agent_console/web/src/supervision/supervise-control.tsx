import { Button, Menu } from '@mantine/core';
import { callerOf } from '../desk/caller';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { useSignedIn } from '../session/session';
import type { ContactView, SupervisionMode } from '../wire';

export type Wish = SupervisionMode | 'take_over' | 'leave' | 'end';

const LABELS: Record<Wish, Key> = {
  monitor: 'supervision.monitor',
  whisper: 'supervision.whisper',
  barge: 'supervision.barge',
  take_over: 'supervision.take_over',
  leave: 'supervision.leave',
  end: 'supervision.end',
};

const STATES: Record<SupervisionMode, Key> = {
  monitor: 'supervision.monitoring',
  whisper: 'supervision.whispering',
  barge: 'supervision.barging',
};

/** What this supervisor may want of a conversation now. */
export function wishesOf(contact: ContactView, userId: string): readonly Wish[] {
  if (contact.state === 'connected' && contact.handed_out_by !== null) return ['end'];
  if (contact.state !== 'connected' || contact.agent_id === null || contact.agent_id === userId) return [];
  const mine = contact.supervision.find((each) => each.supervisor_id === userId);
  const modes = (['monitor', 'whisper', 'barge'] as const).filter((each) => each !== mine?.how);
  if (!mine) return modes;
  return mine.is_there ? [...modes, 'take_over', 'leave'] : [...modes, 'leave'];
}

/** Who takes part in a conversation as a supervisor, in words. */
export function Supervisors({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  return (
    <>
      {contact.supervision.map((each) => (
        <span key={each.supervisor_id} className="pill tone-engaged" data-testid="supervision">
          {t(each.is_there ? STATES[each.how] : 'supervision.ringing', { name: each.name || each.supervisor_id })}
        </span>
      ))}
    </>
  );
}

/** Listen to a conversation, whisper, speak with all, take it over, or leave it again. */
export function SuperviseControl({ contact, agent }: { readonly contact: ContactView; readonly agent: string }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const { person } = useSignedIn();
  const wishes = wishesOf(contact, person.user_id);
  if (wishes.length === 0) return t('floor.nothing');
  return (
    <Menu>
      <Menu.Target>
        <Button
          variant="default"
          size="compact-sm"
          loading={isPending(pending, 'contact.supervise', contact.contact_id)}
          aria-label={t('supervision.of', { agent, caller: callerOf(contact, t) })}
          data-testid="supervise"
        >
          {t('supervision.title')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {wishes.map((how) => (
          <Menu.Item
            key={how}
            onClick={() => send('contact.supervise', { contact_id: contact.contact_id, how })}
            data-testid={`supervise-${how}`}
          >
            {t(LABELS[how])}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
