import { ActionIcon } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { usePhone, usePhoneSwitch } from './context';
import type { PhoneStatus } from './softphone';

const PhoneDialog = lazy(() => import('./phone-dialog'));

export const STATUS_TEXTS: Readonly<Record<PhoneStatus | 'off', Key>> = {
  off: 'phone.off',
  asking: 'phone.asking',
  denied: 'phone.denied',
  unplugged: 'phone.unplugged',
  follower: 'phone.follower',
  ready: 'phone.ready',
  replaced: 'phone.replaced',
};

/** Whether this page is a phone; opens its devices. Absent where browsers give no microphone. */
export function PhoneButton() {
  const { t } = useLocalisation();
  const { supported, wanted } = usePhoneSwitch();
  const { state } = usePhone();
  const [opened, setOpened] = useState(false);
  if (!supported) return null;
  const status = wanted ? state.status : 'off';
  const text = t(STATUS_TEXTS[status]);
  return (
    <>
      <ActionIcon
        variant={status === 'ready' ? 'light' : 'subtle'}
        color={status === 'ready' ? 'green' : status === 'denied' || status === 'unplugged' ? 'red' : 'gray'}
        size={36}
        aria-label={text}
        title={text}
        onClick={() => setOpened(true)}
        data-testid="phone"
        data-status={status}
      >
        <Icon name="headset" size={20} />
      </ActionIcon>
      <Suspense>{opened && <PhoneDialog onClose={() => setOpened(false)} />}</Suspense>
    </>
  );
}
