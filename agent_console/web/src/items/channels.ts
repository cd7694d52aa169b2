import type { IconName } from '../icons';
import type { Key } from '../i18n/translate';
import type { Channel } from '../wire';

/** How a channel looks: an icon and its word. */
export const CHANNELS: Readonly<Record<Channel, { readonly label: Key; readonly icon: IconName }>> = {
  voice: { label: 'channel.calls', icon: 'phone' },
  chat: { label: 'channel.chat', icon: 'chat' },
  email: { label: 'channel.email', icon: 'mail' },
  sms: { label: 'channel.sms', icon: 'chat' },
  message: { label: 'channel.message', icon: 'voicemail' },
  task: { label: 'channel.task', icon: 'note' },
};
