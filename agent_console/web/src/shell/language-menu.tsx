import { Menu } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import { LANGUAGES, type Language } from '../i18n/translate';
import { Icon } from '../icons';
import { LanguageButton } from './menu-buttons';

/** The languages, each named in itself. */
export default function LanguageMenu() {
  const { language, setLanguage } = useLocalisation();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <LanguageButton />
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
  );
}
