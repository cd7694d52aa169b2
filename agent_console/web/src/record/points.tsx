import { ActionIcon, Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import {
  addIdentity,
  addPoint,
  changePoint,
  removePoint,
  type ContactPoint,
  type CustomerRecord,
  type PointKind,
} from '../api/record';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { useSignedIn } from '../session/session';
import { useAnnouncer } from '../shell/announcer';
import { Confirm } from './confirm';
import { Problem } from './problem';
import { useAction, type Action } from './problems';
import { choices, PROVIDERS, said, USAGES } from './words';
import { WhyKnown } from './why-known';
import classes from './record.module.css';

interface PartProps {
  readonly record: CustomerRecord;
  readonly mayEdit: boolean;
  readonly onChanged: () => void;
}

interface PointRowProps extends PartProps {
  readonly point: ContactPoint;
  readonly action: Action;
}

function PointRow({ record, point, mayEdit, action, onChanged }: PointRowProps) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { floor, pending } = useLive();
  const { person } = useSignedIn();
  const agent = person.agent_id === null ? undefined : floor.agents.get(person.agent_id);
  const [removing, setRemoving] = useState(false);
  const then = async (work: () => Promise<unknown>) => {
    if (await action.run(work)) onChanged();
  };
  return (
    <li className={classes.row} data-testid="contact-point">
      {point.kind === 'phone' && agent ? (
        <ActionIcon
          variant="subtle"
          size={32}
          aria-label={t('point.call', { value: point.value_raw })}
          title={t('point.call', { value: point.value_raw })}
          loading={isPending(pending, 'call.dial')}
          disabled={agent.contact_id !== null || agent.state === 'offline'}
          onClick={() => send('call.dial', { target_kind: 'number', target: point.value_norm })}
          data-testid="call-point"
        >
          <Icon name="phoneOut" />
        </ActionIcon>
      ) : (
        <Icon name={point.kind === 'email' ? 'mail' : 'phone'} />
      )}
      <span className={classes.rowText}>
        <span className="wrap-anywhere">{point.value_raw}</span>
        {point.is_primary && <span className="pill tone-good">{t('point.primary')}</span>}
      </span>
      {mayEdit ? (
        <NativeSelect
          size="sm"
          aria-label={t('point.usage_of', { value: point.value_raw })}
          value={point.usage}
          data={choices(USAGES, t, point.usage)}
          onChange={(event) => {
            const usage = event.currentTarget.value;
            void then(() => changePoint(record.id, point.id, { usage }));
          }}
        />
      ) : (
        <span className="soft">{said(USAGES, point.usage, t)}</span>
      )}
      {mayEdit && !point.is_primary && (
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => void then(() => changePoint(record.id, point.id, { is_primary: true }))}
          aria-label={t('point.make_primary_of', { value: point.value_raw })}
        >
          {t('point.make_primary')}
        </Button>
      )}
      {mayEdit && (
        <ActionIcon
          variant="subtle"
          color="gray"
          size={32}
          aria-label={t('point.remove', { value: point.value_raw })}
          title={t('point.remove', { value: point.value_raw })}
          onClick={() => setRemoving(true)}
        >
          <Icon name="close" />
        </ActionIcon>
      )}
      {removing && (
        <Confirm
          title={t('point.remove', { value: point.value_raw })}
          text={t('point.remove_lead')}
          action={t('action.remove')}
          onClose={() => setRemoving(false)}
          onConfirm={() => void then(() => removePoint(record.id, point.id))}
        />
      )}
    </li>
  );
}

function AddPoint({ record, onChanged }: PartProps) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [value, setValue] = useState('');
  const [usage, setUsage] = useState('mobile');
  const kind: PointKind = value.includes('@') ? 'email' : 'phone';
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const point = { kind, value: value.trim(), usage: kind === 'email' && usage === 'mobile' ? 'other' : usage };
    if (!(await action.run(() => addPoint(record.id, point)))) return;
    setValue('');
    announcer.status(t('point.added'));
    onChanged();
  };
  return (
    <form onSubmit={(event) => void add(event)} className={classes.inlineForm}>
      <TextInput
        label={t('point.new')}
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
        maxLength={254}
        autoComplete="off"
        data-testid="new-point"
      />
      <NativeSelect
        label={t('point.usage')}
        value={usage}
        data={choices(USAGES, t)}
        onChange={(event) => setUsage(event.currentTarget.value)}
      />
      <Button
        type="submit"
        variant="light"
        disabled={value.trim() === ''}
        loading={action.busy}
        data-testid="add-point"
      >
        {t('action.add')}
      </Button>
      <Problem text={action.problem} />
    </form>
  );
}

function AddIdentity({ record, onChanged }: PartProps) {
  const { t } = useLocalisation();
  const action = useAction();
  const [provider, setProvider] = useState('member_no');
  const [external, setExternal] = useState('');
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(await action.run(() => addIdentity(record.id, { provider, external_id: external.trim() })))) return;
    setExternal('');
    onChanged();
  };
  return (
    <form onSubmit={(event) => void add(event)} className={classes.inlineForm}>
      <NativeSelect
        label={t('identity.provider')}
        value={provider}
        data={choices(PROVIDERS, t)}
        onChange={(event) => setProvider(event.currentTarget.value)}
      />
      <TextInput
        label={t('identity.value')}
        value={external}
        onChange={(event) => setExternal(event.currentTarget.value)}
        maxLength={200}
        autoComplete="off"
        data-testid="new-identity"
      />
      <Button
        type="submit"
        variant="light"
        disabled={external.trim() === ''}
        loading={action.busy}
        data-testid="add-identity"
      >
        {t('action.add')}
      </Button>
      <Problem text={action.problem} />
    </form>
  );
}

/** Every number, address and name elsewhere by which the customer is reached and known. */
export function Points(props: PartProps) {
  const { t } = useLocalisation();
  const action = useAction();
  const { record, mayEdit } = props;
  const labels: Record<string, string> = {};
  for (const { id, value_raw } of record.contact_points) labels[id] = value_raw;
  for (const { id, provider, external_id } of record.identities)
    labels[id] = provider === 'id_card' ? t('provider.id_card') : external_id;
  return (
    <section aria-label={t('point.title')} className={classes.stack} data-testid="contact-points">
      <div className={classes.withWhy}>
        <h3 className={classes.subheading}>{t('point.title')}</h3>
        <WhyKnown
          customerId={record.id}
          about={t('point.title')}
          fields={['phone', 'email', 'identity']}
          labels={labels}
        />
      </div>
      <ul className={classes.rows}>
        {record.contact_points.map((point) => (
          <PointRow key={point.id} {...props} point={point} action={action} />
        ))}
        {record.identities.map((identity) => (
          <li key={identity.id} className={classes.row} data-testid="identity">
            <Icon name="user" />
            <span className={classes.rowText}>
              <span className="wrap-anywhere">{identity.provider === 'id_card' ? '••••' : identity.external_id}</span>
            </span>
            <span className="soft">{said(PROVIDERS, identity.provider, t)}</span>
          </li>
        ))}
      </ul>
      <Problem text={action.problem} />
      {mayEdit && (
        <details className={classes.more}>
          <summary data-testid="add-reach">{t('point.add_more')}</summary>
          <AddPoint {...props} />
          <AddIdentity {...props} />
        </details>
      )}
    </section>
  );
}
