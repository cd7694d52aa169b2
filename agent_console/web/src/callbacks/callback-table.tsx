import { Button } from '@mantine/core';
import { Elapsed } from '../clock';
import { LiveTable, type Column } from '../floor/live-table';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { useConnection, useLive } from '../live/context';
import { isPending, type IntentName } from '../live/pending';
import { useLabels } from '../session/session';
import type { CallbackState, CallbackView } from '../wire';
import classes from './callbacks.module.css';

const STATES: Readonly<Record<CallbackState, Key>> = {
  in_line: 'callbacks.in_line',
  put_off: 'callbacks.put_off',
  calling: 'callbacks.calling',
};

/** Why one is put off; SIP statuses that say more than "no answer" have words of their own. */
const REASONS: Readonly<Partial<Record<string, Key>>> = {
  no_hours: 'callbacks.no_hours',
  in_call: 'callbacks.in_call',
  store_unavailable: 'callbacks.store_unavailable',
  queue_closed: 'callbacks.queue_closed',
  system_restart: 'callbacks.system_restart',
  '486': 'callbacks.busy',
  '603': 'callbacks.refused',
};

function Orders({ callback, mayOrder }: { readonly callback: CallbackView; readonly mayOrder: boolean }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  if (callback.state === 'calling') return null;
  const order = (intent: IntentName, label: Key, testId: string) => (
    <Button
      size="compact-sm"
      variant="subtle"
      loading={isPending(pending, intent)}
      onClick={() => send(intent, { target: callback.callback_id })}
      aria-label={t('callbacks.order', { order: t(label), number: callback.number })}
      data-testid={testId}
    >
      {t(label)}
    </Button>
  );
  return (
    <span className={classes.orders}>
      {callback.state === 'put_off' && order('callback.call_now', 'callbacks.call_now', 'callback-now')}
      {mayOrder && !callback.is_on_top && order('callback.to_top', 'callbacks.to_top', 'callback-top')}
      {order('callback.call_off', 'callbacks.call_off', 'callback-off')}
    </span>
  );
}

function useColumns(mayOrder: boolean): readonly Column<CallbackView>[] {
  const { t, format } = useLocalisation();
  const labels = useLabels();
  return [
    { key: 'number', label: t('callbacks.number'), cell: (each) => <strong>{each.number}</strong> },
    { key: 'queue', label: t('floor.queue'), cell: (each) => labels.queue(each.queue_id) },
    {
      key: 'state',
      label: t('floor.state'),
      cell: (each) => (
        <>
          <span className="pill tone-quiet">{t(STATES[each.state])}</span>{' '}
          {each.is_on_top && <span className="pill tone-attention">{t('callbacks.on_top')}</span>}
          {each.reason && <span className="soft"> {t(REASONS[each.reason] ?? 'callbacks.not_reached')}</span>}
        </>
      ),
    },
    {
      key: 'attempts',
      label: t('callbacks.attempts'),
      numeric: true,
      cell: (each) => `${format.number(each.attempts)} / ${format.number(each.most_attempts)}`,
    },
    {
      key: 'next',
      label: t('callbacks.next'),
      cell: (each) => (each.next_at === null ? t('floor.nothing') : format.dateTime(each.next_at)),
    },
    {
      key: 'agent',
      label: t('callbacks.by'),
      cell: (each) => {
        const agent = each.agent_id ?? each.promised_by;
        return agent ? labels.agent(agent) : t('callbacks.by_menu');
      },
    },
    {
      key: 'since',
      label: t('callbacks.since'),
      numeric: true,
      sort: (each) => each.promised_at,
      cell: (each) => <Elapsed since={each.promised_at} />,
    },
    { key: 'ends', label: t('callbacks.until'), cell: (each) => format.dateTime(each.ends_at) },
    {
      key: 'orders',
      label: t('callbacks.orders'),
      cell: (each) => <Orders callback={each} mayOrder={mayOrder} />,
    },
  ];
}

/** The promised callbacks that this person sees; nothing while there are none. `mayOrder`: also who goes first. */
export function CallbackTable({ mayOrder }: { readonly mayOrder: boolean }) {
  const { t } = useLocalisation();
  const { floor } = useLive();
  const columns = useColumns(mayOrder);
  if (floor.callbacks.size === 0) return null;
  return (
    <LiveTable
      title={mayOrder ? t('callbacks.title') : t('callbacks.mine')}
      rows={[...floor.callbacks.values()]}
      columns={columns}
      rowKey={(callback) => callback.callback_id}
      rowTestId="callback-row"
      sortedBy="since"
    />
  );
}
