import { Button, CloseButton } from '@mantine/core';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { may } from '../api/permissions';
import { useSecondsUntil } from '../clock';
import { keysOf } from '../desk/shortcuts';
import { useLocalisation } from '../i18n/context';
import type { Key, Translate } from '../i18n/translate';
import { useConnection, useLive } from '../live/context';
import { missedAnOffer, offeredOn, type DeskView } from '../live/desk-view';
import { isPending, type Refusal } from '../live/pending';
import { callerOf } from '../desk/caller';
import { useSignedIn } from '../session/session';
import { DeviceBanner } from '../softphone/device-banner';
import { useAnnouncer } from './announcer';
import { Banner } from './banner';
import { useIsCutOff } from './connection-health';
import { addressOf } from './route';
import classes from './shell.module.css';

const ClaimsNotice = lazy(() => import('../stewardship/claims-notice'));
const QuietHours = lazy(() => import('./quiet-hours'));

function ConnectionBanner() {
  const { t } = useLocalisation();
  const { retryNow } = useConnection();
  const { superseded, floor } = useLive();
  const cutOff = useIsCutOff();
  const announcer = useAnnouncer();
  const wasCutOff = useRef(false);
  useEffect(() => {
    if (cutOff === wasCutOff.current) return;
    wasCutOff.current = cutOff;
    if (cutOff) announcer.alert(t('connection.lost_banner'));
    else announcer.status(t('connection.restored'));
  }, [cutOff, announcer, t]);
  if (superseded) {
    return (
      <Banner tone="tone-pause" icon="warning" testId="superseded">
        <span className={classes.bannerText}>{t('connection.superseded')}</span>
        <Button size="sm" variant="default" onClick={retryNow}>
          {t('connection.use_here')}
        </Button>
      </Banner>
    );
  }
  if (cutOff) {
    return (
      <Banner tone="tone-bad" icon="warning" testId="disconnected">
        <span className={classes.bannerText}>{t('connection.lost_banner')}</span>
      </Banner>
    );
  }
  if (floor.exchangeUp) return null;
  return (
    <Banner tone="tone-bad" icon="warning" testId="exchange-down">
      <span className={classes.bannerText}>{t('connection.exchange_down')}</span>
    </Banner>
  );
}

function MissedOfferBanner() {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const announcer = useAnnouncer();
  useEffect(() => announcer.alert(t('missed.announcement', { keys: keysOf('ready') })), [announcer, t]);
  return (
    <Banner tone="tone-attention" icon="bellOff" testId="missed-offer">
      <span className={classes.bannerText}>{t('missed.text')}</span>
      <Button
        size="sm"
        loading={isPending(pending, 'agent.ready')}
        onClick={() => send('agent.ready')}
        data-testid="back-to-ready"
      >
        {t('missed.back', { keys: keysOf('ready') })}
      </Button>
    </Banner>
  );
}

function OfferBanner({ desk }: { readonly desk: DeskView }) {
  const { t } = useLocalisation();
  const offered = offeredOn(desk);
  const seconds = useSecondsUntil(offered?.offer_expires_at ?? 0);
  if (!offered) return null;
  const key = offered.channel === 'voice' ? 'offer.elsewhere' : 'offer.elsewhere_item';
  return (
    <Banner tone="tone-attention" icon="bell" testId="offer-elsewhere">
      <span className={classes.bannerText}>{t(key, { caller: callerOf(offered, t), seconds })}</span>
      <Button component="a" size="sm" href={addressOf({ page: 'desk' })}>
        {t('offer.open_desk')}
      </Button>
    </Banner>
  );
}

/** Refusals that the desk explains in the language of the screen; the others speak for themselves. */
const REFUSALS: Partial<Record<string, Key>> = {
  'phone-not-registered': 'refusal.phone_not_registered',
  'no-answer': 'refusal.no_answer',
  'unknown-agent': 'refusal.unknown_agent',
  'unknown-queue': 'refusal.unknown_queue',
  'unknown-target': 'refusal.unknown_target',
  'no-outbound-rules': 'refusal.no_calls_out',
  'colleague-busy': 'refusal.colleague_busy',
  'contact-gone': 'refusal.contact_gone',
  'offer-gone': 'refusal.contact_gone',
  'not-free': 'refusal.not_free',
  'not-now': 'refusal.not_now',
  'not-yours': 'refusal.not_yours',
  'no-callback': 'refusal.no_callback',
  'card-entry-refused': 'refusal.card_entry',
  'card-entry-not-configured': 'refusal.no_payments',
  'not-callable': 'refusal.not_callable',
  'no-park-slot': 'refusal.no_park_slot',
  'park-slot-empty': 'refusal.park_slot_empty',
  'no-wrap-up': 'refusal.no_extension',
  'no-extension': 'refusal.no_extension',
  'not-allowed': 'refusal.not_allowed',
  'link-down': 'refusal.link_down',
  'quiet-hours': 'quiet.text',
  'quiet-hours-firm': 'quiet.firm',
  'internal-error': 'refusal.internal_error',
};

function refusalText(refusal: Refusal, t: Translate): string {
  const known = REFUSALS[refusal.code];
  return known ? t(known) : t('refusal.other', { message: refusal.message || refusal.code });
}

function RefusalBanner({ refusal }: { readonly refusal: Refusal }) {
  const { t } = useLocalisation();
  const { dismiss } = useConnection();
  const announcer = useAnnouncer();
  const text = refusalText(refusal, t);
  useEffect(() => announcer.alert(text), [announcer, text]);
  const ofTheHour = refusal.code === 'quiet-hours' || refusal.code === 'quiet-hours-firm';
  return (
    <Banner tone={ofTheHour ? 'tone-attention' : 'tone-bad'} icon={ofTheHour ? 'clock' : 'warning'} testId="refusal">
      <span className={classes.bannerText}>{text}</span>
      {ofTheHour && (
        <Suspense>
          <QuietHours refusal={refusal} />
        </Suspense>
      )}
      <CloseButton size={32} aria-label={t('action.close')} onClick={() => dismiss(refusal.intentId)} />
    </Banner>
  );
}

/** What a person must know wherever they are, below the top bar over the full width. */
export function Banners({ desk, onDesk }: { readonly desk: DeskView; readonly onDesk: boolean }) {
  const { refusals } = useLive();
  const { person } = useSignedIn();
  return (
    <div className={classes.banners}>
      <ConnectionBanner />
      {may(person, 'assign') && (
        <Suspense>
          <ClaimsNotice />
        </Suspense>
      )}
      <DeviceBanner />
      {!onDesk && <OfferBanner desk={desk} />}
      {missedAnOffer(desk.agent) && <MissedOfferBanner />}
      {refusals.slice(-2).map((refusal) => (
        <RefusalBanner key={refusal.intentId} refusal={refusal} />
      ))}
    </div>
  );
}
