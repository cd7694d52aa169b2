import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { LanguageButton } from './menu-buttons';

const LanguageMenu = lazy(() => import('./language-menu'));

/** Language and light or dark. */
export function AppearanceButtons() {
  const { t } = useLocalisation();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'dark' ? 'light' : 'dark';
  const themeLabel = scheme === 'dark' ? t('appearance.light') : t('appearance.dark');
  return (
    <>
      <Suspense fallback={<LanguageButton />}>
        <LanguageMenu />
      </Suspense>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={36}
        aria-label={themeLabel}
        title={themeLabel}
        onClick={() => setColorScheme(other)}
        data-testid="theme"
      >
        <Icon name={scheme === 'dark' ? 'sun' : 'moon'} size={20} />
      </ActionIcon>
    </>
  );
}
