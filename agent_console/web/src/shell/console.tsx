import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useRinging, useTitle } from '../alerting/use-ringing';
import { maySeeFloor, maySeeReports } from '../api/session';
import { useServerNow } from '../clock';
import { callerOf } from '../desk/caller';
import { useShortcuts } from '../desk/shortcuts';
import { AGENT_STATES, lookOfAgent } from '../floor/states';
import { CHANNELS } from '../items/channels';
import { useLocalisation } from '../i18n/context';
import { clockDigits } from '../i18n/format';
import { useConnection, useLive } from '../live/context';
import { deskOf, isKept, mayAskForContacts, missedAnOffer, offeredOn, type DeskView } from '../live/desk-view';
import { recall, remember } from '../preferences';
import { useLabels, useSignedIn } from '../session/session';
import type { SessionView } from '../wire';
import { usePhone } from '../softphone/context';
import { mayOpen } from '../stewardship/pages';
import { useAnnouncer } from './announcer';
import { Banners } from './banners';
import { Boundary } from './boundary';
import { parseRoute, useAddress, type Route } from './route';
import classes from './shell.module.css';
import { TopBar } from './top-bar';

const HelpDialog = lazy(() => import('./help-dialog'));
const DeskPage = lazy(() => import('../desk/desk-page'));
const FloorPage = lazy(() => import('../floor/floor-page'));
const ReportsPage = lazy(() => import('../reports/reports-page'));
const RecordPage = lazy(() => import('../record/record-page'));
const VoicemailPage = lazy(() => import('../voicemail/voicemail-page'));
const DuplicatesPage = lazy(() => import('../stewardship/duplicates-page'));
const ImportPage = lazy(() => import('../stewardship/import-page'));
const CollisionsPage = lazy(() => import('../stewardship/collisions-page'));
const QualityPage = lazy(() => import('../stewardship/quality-page'));
const HandOverPage = lazy(() => import('../stewardship/hand-over-page'));
const HoldsPage = lazy(() => import('../stewardship/holds-page'));
const AccessPage = lazy(() => import('../stewardship/access-page'));
const AuditPage = lazy(() => import('../stewardship/audit-page'));
const TokensPage = lazy(() => import('../stewardship/tokens-page'));
const CustomersPage = lazy(() => import('../customers/customers-page'));

/** The page an address names, when this person may see it; else the one where their work is. */
function routeFor(address: string, person: SessionView): Route {
  const home: Route =
    person.agent_id !== null ? { page: 'desk' } : maySeeFloor(person) ? { page: 'floor' } : { page: 'customers' };
  const route = parseRoute(address) ?? home;
  if (route.page === 'floor' && !maySeeFloor(person)) return home;
  if (route.page === 'reports' && !maySeeReports(person)) return home;
  if (route.page === 'desk' && person.agent_id === null) return home;
  if (!mayOpen(route, person)) return { page: 'customers' };
  return route;
}

/** Says aloud what changes on the desk: an offer at once, other states when there is a moment. */
function useDeskAnnouncements(desk: DeskView): void {
  const { agent } = desk;
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const labels = useLabels();
  const offered = offeredOn(desk);
  const offerText = offered
    ? t(offered.channel === 'voice' ? 'offer.announcement' : 'offer.announcement_item', {
        channel: t(CHANNELS[offered.channel].label),
        caller: callerOf(offered, t),
        queue: offered.queue_id ? labels.queue(offered.queue_id) : '',
      })
    : null;
  const offerId = offered && `${offered.contact_id} ${offered.offered_at ?? 0}`;
  const told = useRef<string | null>(null);
  useEffect(() => {
    if (offerText && told.current !== offerId) announcer.alert(offerText);
    told.current = offerId;
  }, [offerId, offerText, announcer]);
  const state = agent && !missedAnOffer(agent) && agent.state !== 'offered' ? agent.state : null;
  useEffect(() => {
    if (state) announcer.status(t('state.announcement', { state: t(AGENT_STATES[state].label) }));
  }, [state, announcer, t]);
}

function useDeskShortcuts(desk: DeskView, openMenu: () => void, openHelp: () => void): void {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const announcer = useAnnouncer();
  const serverNow = useServerNow();
  const { agent, contact } = desk;
  const speak = () => {
    if (!agent) return;
    const time = clockDigits(serverNow() - agent.since);
    announcer.status(t('state.spoken', { state: t(lookOfAgent(agent).label), time }));
  };
  const about = contact && { contact_id: contact.contact_id };
  const offered = offeredOn(desk);
  const answered = offered && { contact_id: offered.contact_id };
  const { phone, state } = usePhone();
  useShortcuts({
    help: openHelp,
    ...(state.call?.phase === 'ringing' && { accept: phone?.accept }),
    ...(state.call && state.call.phase !== 'ringing' && { mute: () => phone?.mute(!state.call?.muted) }),
    ...(agent && mayAskForContacts(agent) && { ready: () => send('agent.ready') }),
    ...(agent && { notReady: openMenu, speakStatus: speak }),
    ...(answered && { decline: () => send('offer.decline', answered) }),
    ...(answered && offered.channel !== 'voice' && { accept: () => send('offer.accept', answered) }),
    ...(about &&
      (contact.state === 'connected' || (contact.state === 'dialling' && !isKept(agent, contact))) && {
        hangUp: () => send('contact.hang_up', about),
      }),
  });
}

/** The console of somebody who is signed in. */
export function Console() {
  const { t } = useLocalisation();
  const { person } = useSignedIn();
  const { floor } = useLive();
  const desk = deskOf(floor, person.agent_id);
  const address = useAddress();
  const route = routeFor(address, person);
  const [menuOpened, setMenuOpened] = useState(false);
  const [helpOpened, setHelpOpened] = useState(false);
  const [sound, setSound] = useState(recall('sound') !== 'off');
  const offered = offeredOn(desk);
  useRinging(sound && offered !== null);
  useTitle(t('app.name'), offered && t('offer.title', { caller: callerOf(offered, t) }));
  useDeskAnnouncements(desk);
  useDeskShortcuts(
    desk,
    () => setMenuOpened(true),
    () => setHelpOpened(true),
  );
  const chooseSound = (chosen: boolean) => {
    remember('sound', chosen ? 'on' : 'off');
    setSound(chosen);
  };
  return (
    <div className={classes.shell}>
      <a
        href="#main"
        className="skip-link"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        {t('nav.skip')}
      </a>
      <TopBar
        agent={desk.agent}
        route={route}
        menuOpened={menuOpened}
        onMenu={setMenuOpened}
        sound={sound}
        onSound={chooseSound}
        onHelp={() => setHelpOpened(true)}
      />
      <Banners desk={desk} onDesk={route.page === 'desk'} />
      <main id="main" tabIndex={-1} className={classes.main}>
        <Boundary key={address}>
          <Suspense fallback={<p className="soft">{t('loading')}</p>}>
            {route.page === 'desk' && <DeskPage desk={desk} />}
            {route.page === 'floor' && <FloorPage />}
            {route.page === 'reports' && <ReportsPage />}
            {route.page === 'customers' && <CustomersPage />}
            {route.page === 'voicemail' && <VoicemailPage />}
            {route.page === 'duplicates' && <DuplicatesPage />}
            {route.page === 'import' && <ImportPage />}
            {route.page === 'collisions' && <CollisionsPage />}
            {route.page === 'quality' && <QualityPage />}
            {route.page === 'hand-over' && <HandOverPage />}
            {route.page === 'holds' && <HoldsPage />}
            {route.page === 'access' && <AccessPage />}
            {route.page === 'audit' && <AuditPage />}
            {route.page === 'tokens' && <TokensPage />}
            {route.page === 'customer' && <RecordPage key={route.customerId} customerId={route.customerId} />}
          </Suspense>
        </Boundary>
      </main>
      <Suspense>{helpOpened && <HelpDialog onClose={() => setHelpOpened(false)} />}</Suspense>
    </div>
  );
}
