import { Button, Textarea } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { addNote } from '../api/customers';
import { useLocalisation } from '../i18n/context';
import { useAnnouncer } from '../shell/announcer';
import classes from './customers.module.css';

/** A place to write a note into a customer's timeline. */
export function AddNote({ customerId, onAdded }: { readonly customerId: string; readonly onAdded: () => void }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const [text, setText] = useState('');
  const [state, setState] = useState<'idle' | 'saving' | 'failed'>('idle');
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    setState('saving');
    try {
      await addNote(customerId, text.trim());
      setText('');
      setState('idle');
      announcer.status(t('timeline.note_added'));
      onAdded();
    } catch {
      setState('failed'); // whatever it was, the text is still there to be sent again
    }
  };
  return (
    <form onSubmit={(event) => void save(event)} className={classes.addNote}>
      <Textarea
        label={t('timeline.add_note')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={state === 'failed' ? t('error.save') : undefined}
        maxLength={10_000}
        autosize
        minRows={1}
        maxRows={8}
        data-testid="customer-note"
      />
      <Button
        type="submit"
        variant="light"
        disabled={text.trim() === ''}
        loading={state === 'saving'}
        data-testid="add-note"
      >
        {t('timeline.save_note')}
      </Button>
    </form>
  );
}
