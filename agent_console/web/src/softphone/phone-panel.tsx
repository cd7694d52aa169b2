import { ActionIcon, Button } from '@mantine/core';
import { useEffect, useState } from 'react';
import { keysOf } from '../desk/shortcuts';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { usePhone } from './context';
import type { Cause, Grade, Quality } from './quality';
import classes from './softphone.module.css';

const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const;
const GRADES: Readonly<Record<Grade, { readonly label: Key; readonly tone: string }>> = {
  good: { label: 'phone.quality.good', tone: 'tone-good' },
  fair: { label: 'phone.quality.fair', tone: 'tone-pause' },
  poor: { label: 'phone.quality.poor', tone: 'tone-bad' },
};
const CAUSES: Readonly<Record<Exclude<Cause, null>, Key>> = {
  loss: 'phone.cause.loss',
  delay: 'phone.cause.delay',
  jitter: 'phone.cause.jitter',
};

function QualityNote({ quality }: { readonly quality: Quality }) {
  const { t } = useLocalisation();
  const { label, tone } = GRADES[quality.grade];
  const percent = Math.round(1_000 * Math.max(quality.lossIn, quality.lossOut)) / 10;
  const detail = t('phone.quality.detail', {
    mos: quality.mos.toFixed(1),
    loss: percent,
    jitter: quality.jitter,
    ms: quality.roundTrip,
  });
  return (
    <span className={`${classes.quality} ${tone}`} title={detail} data-testid="quality" data-grade={quality.grade}>
      {t(label)}
      {quality.cause && <span className="soft"> {t(CAUSES[quality.cause])}</span>}
    </span>
  );
}

/** The keys of a telephone. The computer's own digit keys work while it is open. */
function DigitPad({ onPress }: { readonly onPress: (digit: string) => void }) {
  const { t } = useLocalisation();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select');
      if (typing || event.altKey || event.ctrlKey || event.metaKey) return;
      if ((DIGITS as readonly string[]).includes(event.key)) onPress(event.key);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [onPress]);
  return (
    <div className={classes.pad} role="group" aria-label={t('phone.keypad')} data-testid="digit-pad">
      {DIGITS.map((digit) => (
        <Button key={digit} variant="default" size="sm" onClick={() => onPress(digit)} data-testid={`digit-${digit}`}>
          {digit}
        </Button>
      ))}
    </div>
  );
}

/** The phone's own controls in a conversation: mute, digits, the microphone's level and the line's quality. */
export default function PhonePanel() {
  const { t } = useLocalisation();
  const { phone, state } = usePhone();
  const [padOpened, setPadOpened] = useState(false);
  const { call } = state;
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, []);
  if (!phone || !call) return null;
  const muteText = t(call.muted ? 'phone.unmute' : 'phone.mute');
  return (
    <div className={classes.panel} data-testid="phone-panel" data-phase={call.phase}>
      <Button
        variant={call.muted ? 'filled' : 'default'}
        color={call.muted ? 'yellow.9' : undefined}
        leftSection={<Icon name={call.muted ? 'micOff' : 'mic'} />}
        aria-pressed={call.muted}
        onClick={() => phone.mute(!call.muted)}
        title={keysOf('mute')}
        data-testid="mute"
      >
        {muteText}
      </Button>
      <ActionIcon
        variant="default"
        size={36}
        aria-label={t('phone.keypad')}
        aria-expanded={padOpened}
        title={t('phone.keypad')}
        onClick={() => setPadOpened(!padOpened)}
        data-testid="keypad"
      >
        <Icon name="keypad" size={20} />
      </ActionIcon>
      <meter
        className={classes.level}
        min={0}
        max={1}
        value={call.muted ? 0 : call.level}
        aria-label={t('phone.level')}
      />
      {call.phase === 'up' ? (
        call.quality && <QualityNote quality={call.quality} />
      ) : (
        <span className="soft" role="status" data-testid="phone-phase">
          {t(call.phase === 'reconnecting' ? 'phone.reconnecting' : 'phone.connecting')}
        </span>
      )}
      {padOpened && <DigitPad onPress={phone.press} />}
    </div>
  );
}
