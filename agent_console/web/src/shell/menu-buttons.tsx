import { ActionIcon, Button, type ButtonProps } from '@mantine/core';
import type { ComponentPropsWithRef } from 'react';
import { keysOf } from '../desk/shortcuts';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useLive } from '../live/context';
import { isPending } from '../live/pending';
import { useSignedIn } from '../session/session';
import classes from './shell.module.css';

type Target = ComponentPropsWithRef<'button'> & Pick<ButtonProps, 'children'>;

/** What opens the reasons for a pause. These buttons stand in place before their menus are loaded. */
export function NotReadyButton(target: Target) {
  const { t } = useLocalisation();
  const { pending } = useLive();
  return (
    <Button
      variant="default"
      leftSection={<Icon name="pause" />}
      loading={isPending(pending, 'agent.not_ready')}
      title={keysOf('notReady')}
      data-testid="go-not-ready"
      {...target}
    >
      {t('action.not_ready')}
    </Button>
  );
}

/** What opens the languages. */
export function LanguageButton(target: Target) {
  const { t } = useLocalisation();
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={36}
      aria-label={t('appearance.language')}
      title={t('appearance.language')}
      data-testid="language"
      {...target}
    >
      <Icon name="language" size={20} />
    </ActionIcon>
  );
}

/** Who is signed in; opens the way out. */
export function PersonButton(target: Target) {
  const { person } = useSignedIn();
  return (
    <Button
      variant="subtle"
      color="gray"
      px="xs"
      aria-label={person.name}
      title={person.name}
      data-testid="person"
      {...target}
    >
      <Icon name="user" size={20} />
      <span className={classes.person}>{person.name}</span>
    </Button>
  );
}
