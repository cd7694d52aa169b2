import { Textarea } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import type { Draft } from './drafts';

/** Characters of notes that the server takes. */
const LONGEST_NOTES = 10_000;

interface Props {
  readonly notes: string;
  readonly onChange: (change: Pick<Draft, 'notes'>) => void;
  readonly testId: string;
}

/** What somebody notes of a contact: kept in this browser until it is sent. */
export function NotesField({ notes, onChange, testId }: Props) {
  const { t } = useLocalisation();
  return (
    <Textarea
      label={t('notes.label')}
      description={t('notes.kept')}
      value={notes}
      onChange={(event) => onChange({ notes: event.currentTarget.value })}
      maxLength={LONGEST_NOTES}
      autosize
      minRows={4}
      maxRows={14}
      data-testid={testId}
    />
  );
}
