import { Button } from '@mantine/core';
import { Elapsed, useOnClock, useSecondsUntil } from '../clock';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import type { ContactView } from '../wire';
import { CallerBlock, CardHead, ContactFacts, Fact } from './caller-block';
import { usePhone } from '../softphone/context';
import { keysOf } from './shortcuts';
import classes from './desk.module.css';

interface CountdownProps {
  readonly from: number;
  readonly until: number;
}

/** The time left: a bar that shrinks and the seconds as a number. */
export function Countdown({ from, until }: CountdownProps) {
  const { t } = useLocalisation();
  const seconds = useSecondsUntil(until);
  const thousandth = useOnClock((now) => Math.round((1_000 * (until - now)) / Math.max(1, until - from)));
  const share = Math.min(1, Math.max(0, thousandth / 1_000));
  return (
    <div className={classes.countdown} role="timer" aria-label={t('countdown.left')}>
      <span className={classes.track}>
        <span className={classes.bar} style={{ transform: `scaleX(${share})` }} />
      </span>
      <span className={classes.countdownNumber}>{t('countdown.seconds', { seconds })}</span>
    </div>
  );
}

/** A call that rings: at this page's phone it is accepted here, at another phone there. */
export function RingCard({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const { phone, state } = usePhone();
  const { offered_at, offer_expires_at } = contact;
  return (
    <article className={`panel ${classes.card} ${classes.ringing} tone-attention`}>
      <CardHead tone="tone-attention" icon="phoneIn" title={t('ring.title')} />
      {offered_at !== null && offer_expires_at !== null && <Countdown from={offered_at} until={offer_expires_at} />}
      <CallerBlock contact={contact} testId="ring-caller" />
      <ContactFacts contact={contact}>
        <Fact label={t('contact.waited')}>
          <Elapsed since={contact.queued_at ?? contact.arrived_at} />
        </Fact>
      </ContactFacts>
      {contact.ringing.length > 1 && (
        <p className="soft" data-testid="rings-elsewhere">
          {t.count('ring.others', contact.ringing.length - 1)}
        </p>
      )}
      {!state.call && (
        <p className={classes.onPhone}>
          <Icon name="phone" size={20} /> {t('ring.answer_on_phone')}
        </p>
      )}
      <div className={classes.actions}>
        {state.call && (
          <Button
            color="green.9"
            size="md"
            leftSection={<Icon name="phone" />}
            loading={state.call.phase !== 'ringing'}
            onClick={phone?.accept}
            title={keysOf('accept')}
            data-testid="accept"
          >
            {t('ring.accept')}
          </Button>
        )}
        <Button
          variant="default"
          size="md"
          leftSection={<Icon name="hangUp" />}
          loading={isPending(pending, 'offer.decline', contact.contact_id)}
          onClick={() => send('offer.decline', { contact_id: contact.contact_id })}
          title={keysOf('decline')}
          data-testid="decline"
        >
          {t('ring.decline')}
        </Button>
      </div>
    </article>
  );
}
