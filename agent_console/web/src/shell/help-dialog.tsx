import { Kbd, Modal } from '@mantine/core';
import { keysOf, SHORTCUTS } from '../desk/shortcuts';
import { useLocalisation } from '../i18n/context';
import classes from './shell.module.css';

/** Every shortcut, and what it does. */
export default function HelpDialog({ onClose }: { readonly onClose: () => void }) {
  const { t } = useLocalisation();
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('help.title')}
      centered
      closeButtonProps={{ 'aria-label': t('action.close'), size: 36 }}
    >
      <p className="soft">{t('help.lead')}</p>
      <dl className={classes.shortcuts}>
        {SHORTCUTS.map((shortcut) => (
          <div key={shortcut.action}>
            <dt>{t(shortcut.label)}</dt>
            <dd>
              <Kbd>{keysOf(shortcut.action)}</Kbd>
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
