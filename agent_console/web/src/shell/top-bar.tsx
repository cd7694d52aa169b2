import { ActionIcon, Button } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { useSoundUnlocked } from '../alerting/use-ringing';
import { maySeeFloor, maySeeReports } from '../api/session';
import { Elapsed } from '../clock';
import { keysOf } from '../desk/shortcuts';
import { lookOfAgent } from '../floor/states';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { deferredState, mayAskForContacts } from '../live/desk-view';
import { isPending } from '../live/pending';
import { useLabels, useSignedIn } from '../session/session';
import type { AgentView } from '../wire';
import { PhoneButton } from '../softphone/phone-button';
import { AppearanceButtons } from './appearance';
import { ConnectionHealth } from './connection-health';
import { NotReadyButton, PersonButton } from './menu-buttons';
import { addressOf, type Route } from './route';
import classes from './shell.module.css';

// Menus are the heaviest parts of the page and nobody opens one at once: their buttons come first.
const NotReadyMenu = lazy(() => import('./not-ready-menu'));
const PersonMenu = lazy(() => import('./person-menu'));

function AgentState({ agent }: { readonly agent: AgentView }) {
  const { t } = useLocalisation();
  const labels = useLabels();
  const look = lookOfAgent(agent);
  const deferred = deferredState(agent);
  const reason = agent.state === 'not_ready' && agent.reason ? labels.reason(agent.reason) : null;
  return (
    <div className={`${classes.state} ${look.tone}`} data-testid="agent-state" data-state={agent.state}>
      <Icon name={look.icon} size={20} />
      <span>
        <span className={classes.stateName}>{t(look.label)}</span>
        {reason && <span className={classes.stateDetail}>{reason}</span>}
        {deferred && (
          <span className={classes.stateDetail} data-testid="deferred-state">
            {deferred === 'offline' ? t('state.then_sign_out') : t('state.then', { reason: labels.reason(deferred) })}
          </span>
        )}
      </span>
      <span className={classes.stateTime}>
        <Elapsed since={agent.since} />
      </span>
    </div>
  );
}

function ReadyButton({ agent }: { readonly agent: AgentView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  return (
    <Button
      leftSection={<Icon name="check" />}
      disabled={!mayAskForContacts(agent)}
      loading={isPending(pending, 'agent.ready')}
      onClick={() => send('agent.ready')}
      title={keysOf('ready')}
      data-testid="go-ready"
    >
      {t('action.ready')}
    </Button>
  );
}

/** How many wait in the queues this person sees, and for how long the first of them has. */
function QueueGlance() {
  const { t } = useLocalisation();
  const { queues } = useLive().floor;
  const all = [...queues.values()];
  if (all.length === 0) return null;
  const waiting = all.reduce((sum, queue) => sum + queue.waiting, 0);
  const since = all.flatMap((queue) => queue.longest_waiting_since ?? []).sort((a, b) => a - b)[0];
  return (
    <div className={classes.glance} data-testid="queue-glance" title={t('glance.title')}>
      <Icon name="clock" />
      <span>{t.count('glance.waiting', waiting)}</span>
      {since !== undefined && (
        <span className={`soft ${classes.longest}`}>
          {t('glance.longest')} <Elapsed since={since} />
        </span>
      )}
    </div>
  );
}

function Navigation({ route }: { readonly route: Route }) {
  const { t } = useLocalisation();
  const { person } = useSignedIn();
  const links = [
    { target: { page: 'desk' } as const, label: t('nav.desk'), shown: person.agent_id !== null },
    { target: { page: 'floor' } as const, label: t('nav.floor'), shown: maySeeFloor(person) },
    { target: { page: 'reports' } as const, label: t('nav.reports'), shown: maySeeReports(person) },
    { target: { page: 'customers' } as const, label: t('nav.customers'), shown: true },
    { target: { page: 'voicemail' } as const, label: t('nav.voicemail'), shown: true },
  ];
  const current = links.some(({ target }) => target.page === route.page) ? route.page : 'customers';
  return (
    <nav className={classes.nav} aria-label={t('nav.label')}>
      {links
        .filter(({ shown }) => shown)
        .map(({ target, label }) => (
          <a
            key={target.page}
            href={addressOf(target)}
            aria-current={current === target.page ? 'page' : undefined}
            data-testid={`nav-${target.page}`}
          >
            {label}
          </a>
        ))}
    </nav>
  );
}

function SoundButton({ sound, onChange }: { readonly sound: boolean; readonly onChange: (sound: boolean) => void }) {
  const { t } = useLocalisation();
  const unlocked = useSoundUnlocked();
  const text = !sound ? t('sound.off') : unlocked ? t('sound.on') : t('sound.locked');
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={36}
      aria-label={text}
      title={text}
      aria-pressed={sound}
      onClick={() => onChange(!sound)}
      data-testid="sound"
    >
      <Icon name={sound ? 'bell' : 'bellOff'} size={20} />
    </ActionIcon>
  );
}

interface TopBarProps {
  readonly agent: AgentView | null;
  readonly route: Route;
  readonly menuOpened: boolean;
  readonly onMenu: (opened: boolean) => void;
  readonly sound: boolean;
  readonly onSound: (sound: boolean) => void;
  readonly onHelp: () => void;
}

/** What stays in view on every page: who and where one is, one's state, what waits, and the health of it all. */
export function TopBar({ agent, route, menuOpened, onMenu, sound, onSound, onHelp }: TopBarProps) {
  const { t } = useLocalisation();
  const { settings } = useSignedIn();
  return (
    <header className={classes.topBar}>
      <div className={classes.brand}>
        <img src="/icon.svg" alt="" width={28} height={28} />
        <span className={classes.company} title={settings.company}>
          {settings.company}
        </span>
      </div>
      <Navigation route={route} />
      {agent && (
        <div className={classes.stateGroup}>
          <AgentState agent={agent} />
          <ReadyButton agent={agent} />
          <Suspense fallback={<NotReadyButton />}>
            <NotReadyMenu atWork={agent.contact_id !== null} opened={menuOpened} onChange={onMenu} />
          </Suspense>
        </div>
      )}
      <div className={classes.end}>
        <QueueGlance />
        <ConnectionHealth />
        <PhoneButton />
        <SoundButton sound={sound} onChange={onSound} />
        <AppearanceButtons />
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={t('help.title')}
          title={keysOf('help')}
          onClick={onHelp}
          data-testid="help"
        >
          <Icon name="help" size={20} />
        </ActionIcon>
        <Suspense fallback={<PersonButton />}>
          <PersonMenu agent={agent} />
        </Suspense>
      </div>
    </header>
  );
}
