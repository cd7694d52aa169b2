import { lazy, type RefObject, Suspense, useRef, useState } from 'react';
import type { Recording, TranscriptSummary } from '../api/customers';
import { may } from '../api/permissions';
import { useLocalisation } from '../i18n/context';
import { clockDigits } from '../i18n/format';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { useSignedIn } from '../session/session';
import classes from './recordings.module.css';

const RecordingHold = lazy(() => import('./recording-hold'));

const TranscriptOf = lazy(() => import('./transcript'));

const SPEEDS = [1, 1.25, 1.5, 2] as const;

const ABSENT: Partial<Record<string, Key>> = {
  recording: 'recording.being_made',
  lost: 'recording.lost',
  deleted: 'recording.deleted',
};

/** Where a recording's audio is. */
export const audioPath = (recording: Pick<Recording, 'contact_id' | 'recording_id'>) =>
  `/api/v1/interactions/${encodeURIComponent(recording.contact_id)}/recordings/${encodeURIComponent(recording.recording_id)}`;

/** What a listener should know of a recording before believing it is everything. */
function Remarks({ recording }: { readonly recording: Recording }) {
  const { t } = useLocalisation();
  const paused = recording.pauses.reduce((total, [from, to]) => total + to - from, 0);
  const remarks = [
    recording.agent_name,
    recording.announced === true && t('recording.announced'),
    paused > 0 && t('recording.paused_for', { time: clockDigits(paused) }),
    recording.legal_hold && t('recording.held_for', { reason: recording.hold_reason ?? '' }),
  ].filter(Boolean);
  return (
    <>
      {remarks.length > 0 && <p className="soft">{remarks.join(' · ')}</p>}
      {recording.truncated !== null && (
        <p className="tone-attention">
          <Icon name="warning" size={16} /> {t('recording.incomplete')}
        </p>
      )}
    </>
  );
}

type Playable = Pick<Recording, 'contact_id' | 'recording_id' | 'duration_ms'>;

interface PlayerProps {
  readonly source: Playable;
  /** For who steers it from outside. */
  readonly audio?: RefObject<HTMLAudioElement | null>;
}

/** Plays a recording, at a speed of one's choice. */
export function Player({ source: recording, audio: given }: PlayerProps) {
  const { t } = useLocalisation();
  const own = useRef<HTMLAudioElement>(null);
  const audio = given ?? own;
  const [speed, setSpeed] = useState<number>(1);
  const [failed, setFailed] = useState(false);
  const choose = (wanted: number) => {
    setSpeed(wanted);
    if (audio.current) audio.current.playbackRate = wanted;
  };
  const label = t('recording.of', { time: clockDigits(recording.duration_ms ?? 0) });
  return (
    <>
      {/* eslint-disable-next-line jsx-a11y/media-has-caption -- a telephone conversation; its words stand below */}
      <audio
        ref={audio}
        controls
        preload="none"
        src={audioPath(recording)}
        aria-label={label}
        onError={() => setFailed(true)}
        onPlay={(event) => {
          event.currentTarget.playbackRate = speed;
          setFailed(false);
        }}
        data-testid="recording-audio"
      />
      <fieldset className={classes.speeds}>
        <legend className="visually-hidden">{t('recording.speed')}</legend>
        {SPEEDS.map((each) => (
          <label key={each} className={classes.speed}>
            <input
              type="radio"
              name={`speed-${recording.recording_id}`}
              checked={speed === each}
              onChange={() => choose(each)}
            />
            {`${each}×`}
          </label>
        ))}
      </fieldset>
      {failed && (
        <p role="alert" className="tone-bad">
          {t('recording.not_playable')}
        </p>
      )}
    </>
  );
}

interface OneRecordingProps {
  readonly recording: Recording;
  readonly transcript: TranscriptSummary | undefined;
}

function OneRecording({ recording, transcript }: OneRecordingProps) {
  const { t } = useLocalisation();
  const { person } = useSignedIn();
  const audio = useRef<HTMLAudioElement>(null);
  const absent = ABSENT[recording.state];
  const playFrom = (ms: number) => {
    if (!audio.current) return;
    audio.current.currentTime = ms / 1000;
    void audio.current.play().catch(() => undefined);
  };
  return (
    <li data-testid="recording">
      {absent ? <p className="soft">{t(absent)}</p> : <Player source={recording} audio={audio} />}
      <Remarks recording={recording} />
      {transcript && (
        <Suspense>
          <TranscriptOf contactId={recording.contact_id} told={transcript} onSeek={playFrom} />
        </Suspense>
      )}
      {recording.state === 'stored' && may(person, 'privacy') && (
        <Suspense>
          <RecordingHold recording={recording} />
        </Suspense>
      )}
    </li>
  );
}

interface RecordingsProps {
  readonly recordings: readonly Recording[];
  readonly transcripts?: readonly TranscriptSummary[];
}

/** The recordings of one contact, each with what is to be known of it and what was said in it. */
export function Recordings({ recordings, transcripts = [] }: RecordingsProps) {
  const { t } = useLocalisation();
  if (recordings.length === 0) return null;
  return (
    <ul className={classes.recordings} aria-label={t('recording.title')}>
      {recordings.map((recording) => (
        <OneRecording
          key={recording.recording_id}
          recording={recording}
          transcript={transcripts.find((each) => each.recording_id === recording.recording_id)}
        />
      ))}
    </ul>
  );
}

/** What was said in a contact as a whole, where somebody brought that. */
export function WholeTranscript({
  contactId,
  transcripts = [],
}: {
  contactId: string;
  transcripts?: readonly TranscriptSummary[];
}) {
  const told = transcripts.find((each) => each.recording_id === null);
  return (
    told && (
      <Suspense>
        <TranscriptOf contactId={contactId} told={told} />
      </Suspense>
    )
  );
}
