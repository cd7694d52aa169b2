import { Button } from '@mantine/core';
import type { CustomerRecord } from '../api/record';
import { useLocalisation } from '../i18n/context';
import type { VersionedSave } from './versioned-save';
import classes from './record.module.css';

interface NewerProps {
  readonly save: VersionedSave;
  readonly onSaved: (record: CustomerRecord) => void;
  /** Writes this person's version all the same. */
  readonly onInsist?: (newer: CustomerRecord) => void;
}

/** Somebody else has saved the same list meanwhile: theirs is looked at, or replaced on purpose. */
export function Newer({ save, onSaved, onInsist }: NewerProps) {
  const { t } = useLocalisation();
  const { newer } = save;
  if (!newer) return null;
  return (
    <div className={`${classes.clash} tone-attention`} data-testid="newer">
      <p>{t('newer.text')}</p>
      <div className={classes.buttons}>
        <Button
          size="sm"
          onClick={() => {
            save.settle();
            onSaved(newer);
          }}
        >
          {t('newer.show')}
        </Button>
        {onInsist && (
          <Button size="sm" variant="default" onClick={() => onInsist(newer)}>
            {t('newer.insist')}
          </Button>
        )}
      </div>
    </div>
  );
}
