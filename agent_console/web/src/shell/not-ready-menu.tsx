import { Menu } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import { useConnection } from '../live/context';
import { useSignedIn } from '../session/session';
import { NotReadyButton } from './menu-buttons';

interface NotReadyMenuProps {
  /** With a contact at hand the pause begins after it. */
  readonly atWork: boolean;
  readonly opened: boolean;
  readonly onChange: (opened: boolean) => void;
}

/** The reasons for a pause. */
export default function NotReadyMenu({ atWork, opened, onChange }: NotReadyMenuProps) {
  const { t, language } = useLocalisation();
  const { settings } = useSignedIn();
  const { send } = useConnection();
  return (
    <Menu opened={opened} onChange={onChange} position="bottom-start" withinPortal>
      <Menu.Target>
        <NotReadyButton />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{atWork ? t('action.not_ready_after') : t('action.not_ready_why')}</Menu.Label>
        {settings.not_ready_reasons.map((reason) => (
          <Menu.Item
            key={reason.code}
            onClick={() => send('agent.not_ready', { reason: reason.code })}
            data-testid={`reason-${reason.code}`}
          >
            {reason.labels[language] ?? reason.labels.en ?? reason.code}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
