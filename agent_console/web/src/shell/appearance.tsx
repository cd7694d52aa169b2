import { ActionIcon, Menu, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import { LANGUAGES, type Language } from '../i18n/translate';
import { Icon } from '../icons';

/** Language and light or dark. */
export function AppearanceButtons() {
  const { t, language, setLanguage } = useLocalisation();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'dark' ? 'light' : 'dark';
  const themeLabel = scheme === 'dark' ? t('appearance.light') : t('appearance.dark');
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={36}
            aria-label={t('appearance.language')}
            title={t('appearance.language')}
            data-testid="language"
          >
            <Icon name="language" size={20} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {(Object.keys(LANGUAGES) as Language[]).map((choice) => (
            <Menu.Item
              key={choice}
              lang={LANGUAGES[choice].tag}
              onClick={() => setLanguage(choice)}
              rightSection={choice === language ? <Icon name="check" size={16} /> : null}
              data-testid={`language-${choice}`}
            >
              {LANGUAGES[choice].name}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
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
