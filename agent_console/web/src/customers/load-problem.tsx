import { Button } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import classes from './customers.module.css';

/** Something could not be read; the rest of the screen goes on. */
export function LoadProblem({ onRetry }: { readonly onRetry: () => void }) {
  const { t } = useLocalisation();
  return (
    <p className={`${classes.problem} tone-bad`}>
      <Icon name="warning" /> {t('error.load')}
      <Button size="sm" variant="default" onClick={onRetry}>
        {t('action.try_again')}
      </Button>
    </p>
  );
}
