import { Button, Modal } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import classes from './record.module.css';

interface ConfirmProps {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks once more before something is taken away. */
export function Confirm({ title, text, action, onConfirm, onClose }: ConfirmProps) {
  const { t } = useLocalisation();
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      centered
      closeButtonProps={{ 'aria-label': t('action.close'), size: 36 }}
    >
      <p>{text}</p>
      <div className={classes.buttons}>
        <Button
          color="red.9"
          onClick={() => {
            onConfirm();
            onClose();
          }}
          data-testid="confirm"
        >
          {action}
        </Button>
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
      </div>
    </Modal>
  );
}
