import { Button } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import type { QueueView } from '../wire';

interface EntryButtonProps {
  readonly queue: QueueView;
  readonly name: string;
  readonly onOpen: () => void;
}

/** Whether people are let into a queue; leads to its hours and to the switch. */
export function EntryButton({ queue, name, onOpen }: EntryButtonProps) {
  const { t } = useLocalisation();
  const state = t(queue.closed ? 'entry.closed' : 'entry.open');
  return (
    <Button
      size="compact-sm"
      variant={queue.closed ? 'filled' : 'subtle'}
      {...(queue.closed && { color: 'red.9', leftSection: <Icon name="warning" size={16} /> })}
      onClick={onOpen}
      aria-label={t('entry.look', { queue: name, state })}
      data-testid="open-entry"
      data-closed={queue.closed}
    >
      {state}
    </Button>
  );
}
