import { useEffect, useRef } from 'react';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { useAnnouncer } from '../shell/announcer';
import { Banner } from '../shell/banner';
import type { DeviceUse } from './devices';
import { usePhone } from './context';

const GONE: Readonly<Record<DeviceUse, Key>> = {
  microphone: 'phone.gone.microphone',
  speaker: 'phone.gone.speaker',
  ringer: 'phone.gone.ringer',
};

/** Says which chosen device of the phone is unplugged, and what is used instead; that it is back is only announced. */
export function DeviceBanner() {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const { missing } = usePhone().state;
  const text = missing
    .map(({ use, label, nothingElse }) =>
      t(nothingElse ? 'phone.gone.all' : GONE[use], { device: label || t('phone.gone.unnamed') }),
    )
    .join(' ');
  const said = useRef('');
  useEffect(() => {
    if (text !== '') announcer.alert(text);
    else if (said.current !== '') announcer.status(t('phone.gone.back'));
    said.current = text;
  }, [announcer, text, t]);
  if (text === '') return null;
  return (
    <Banner tone="tone-attention" icon="headset" testId="device-missing">
      {text}
    </Banner>
  );
}
