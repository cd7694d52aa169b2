import { Button, Menu, Modal } from '@mantine/core';
import { useState } from 'react';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useSession, useSignedIn } from '../session/session';
import type { AgentView } from '../wire';
import { PersonButton } from './menu-buttons';
import classes from './shell.module.css';

/** Signing out; somebody with a contact is asked first. */
export default function PersonMenu({ agent }: { readonly agent: AgentView | null }) {
  const { t } = useLocalisation();
  const { person } = useSignedIn();
  const { signOut } = useSession();
  const [asking, setAsking] = useState(false);
  const atWork = agent?.state === 'offered' || agent?.state === 'busy' || agent?.state === 'wrap_up';
  const leave = () => void signOut().catch(() => setAsking(false));
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <PersonButton />
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{person.name}</Menu.Label>
          <Menu.Item
            leftSection={<Icon name="signOut" />}
            onClick={() => (atWork ? setAsking(true) : leave())}
            data-testid="sign-out"
          >
            {t('action.sign_out')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('sign_out.title')}
        centered
        closeButtonProps={{ 'aria-label': t('action.close'), size: 36 }}
      >
        <p>{t('sign_out.at_work')}</p>
        <div className={classes.dialogButtons}>
          <Button variant="default" onClick={() => setAsking(false)}>
            {t('action.stay')}
          </Button>
          <Button onClick={leave}>{t('action.sign_out')}</Button>
        </div>
      </Modal>
    </>
  );
}
