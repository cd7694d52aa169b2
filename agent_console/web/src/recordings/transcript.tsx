import { useState } from 'react';
import { type SpokenLine, type Transcript, transcriptsOf, type TranscriptSummary } from '../api/customers';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import { clockDigits } from '../i18n/format';
import type { Key } from '../i18n/translate';
import classes from './recordings.module.css';

const PARTIES: Partial<Record<string, Key>> = { customer: 'transcript.customer', agent: 'transcript.agent' };

/** What was said and where nothing was recorded, in the order of time. */
function linesOf({ segments, pauses }: Transcript): readonly (SpokenLine | readonly [number, number])[] {
  const at = (each: SpokenLine | readonly [number, number]) => ('text' in each ? each.start_ms : each[0]);
  return [...segments, ...pauses].sort((one, other) => at(one) - at(other));
}

interface WordsProps {
  readonly contactId: string;
  readonly recordingId: string | null;
  readonly onSeek: ((ms: number) => void) | undefined;
}

function Words({ contactId, recordingId, onSeek }: WordsProps) {
  const { t } = useLocalisation();
  const { value, error } = useFetched(contactId, (signal) => transcriptsOf(contactId, signal));
  if (error)
    return (
      <p role="alert" className="tone-bad">
        {t('transcript.not_readable')}
      </p>
    );
  const transcript = value?.find((each) => each.recording_id === recordingId);
  if (value === null) return <p aria-busy className="soft">{`${t('transcript.title')} …`}</p>;
  if (!transcript || transcript.segments.length === 0) return <p className="soft">{t('transcript.nothing_heard')}</p>;
  return (
    <>
      <ol className={classes.words} data-testid="transcript">
        {linesOf(transcript).map((line) =>
          'text' in line ? (
            <li key={`${line.start_ms} ${line.party} ${line.text}`} className={classes.said} data-party={line.party}>
              {onSeek ? (
                <button
                  type="button"
                  className={classes.seek}
                  onClick={() => onSeek(line.start_ms)}
                  aria-label={t('transcript.play_from', { time: clockDigits(line.start_ms) })}
                >
                  {clockDigits(line.start_ms)}
                </button>
              ) : (
                <span className="soft">{clockDigits(line.start_ms)}</span>
              )}
              <strong>{PARTIES[line.party] ? t(PARTIES[line.party] as Key) : line.party}</strong>
              <span>{line.text}</span>
            </li>
          ) : (
            <li key={`pause ${line[0]}`} className="soft">
              {t('recording.paused_for', { time: clockDigits(line[1] - line[0]) })}
            </li>
          ),
        )}
      </ol>
      <p className="soft">{t('transcript.by', { source: transcript.source })}</p>
    </>
  );
}

const STATES: Partial<Record<string, Key>> = {
  waiting: 'transcript.waiting',
  failed: 'transcript.failed',
  skipped: 'transcript.skipped',
};

interface TranscriptOfProps {
  readonly contactId: string;
  readonly told: TranscriptSummary;
  /** Where there is a player: go there and play. */
  readonly onSeek?: (ms: number) => void;
}

/** What was said, behind a button, because whoever reads it is written down; or why there is nothing to read. */
export function TranscriptOf({ contactId, told, onSeek }: TranscriptOfProps) {
  const { t } = useLocalisation();
  const [isOpen, setOpen] = useState(false);
  const state = STATES[told.state];
  if (state)
    return (
      <p className="soft" data-testid="no-transcript">
        {t(state, { reason: told.error ?? '' })}
      </p>
    );
  return (
    <div>
      <button
        type="button"
        className={classes.seek}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        data-testid="read-transcript"
      >
        {t(isOpen ? 'transcript.hide' : 'transcript.read')}
      </button>
      {isOpen && <Words contactId={contactId} recordingId={told.recording_id} onSeek={onSeek} />}
    </div>
  );
}

export default TranscriptOf;
