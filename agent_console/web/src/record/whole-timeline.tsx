import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { TimelineFilter } from '../api/customers';
import { TimelineList } from '../customers/timeline';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import classes from './record.module.css';

/** Entries that are read at a time by somebody who looks through a whole history. */
const PAGE = 25;
/** A year that is still being typed is none to jump to. */
const FIRST_YEAR = 1900;

type Choice = readonly [name: string, label: Key, filter: TimelineFilter];

const CHANNELS: readonly Choice[] = [
  ['voice', 'channel.voice', { channel: 'voice' }],
  ['message', 'channel.message', { channel: 'message' }],
  ['email', 'channel.email', { channel: 'email' }],
  ['sms', 'channel.sms', { channel: 'sms' }],
  ['chat', 'channel.chat', { channel: 'chat' }],
  ['webchat', 'channel.webchat', { channel: 'webchat' }],
  ['fax', 'channel.fax', { channel: 'fax' }],
  ['letter', 'channel.letter', { channel: 'letter' }],
  ['visit', 'channel.visit', { channel: 'visit' }],
];
const KINDS: readonly Choice[] = [
  ['note', 'filter.notes', { kind: 'note' }],
  ['promise', 'promise.title', { kind: 'promise' }],
  ['change', 'filter.changes', { kind: 'change' }],
];
const FILTERS = new Map([...CHANNELS, ...KINDS].map(([name, , filter]) => [name, filter]));

/** The last instant of a day such as `2026-03-07` in the browser's time zone; none for what is no day yet. */
export function endOf(day: string): string | null {
  const end = new Date(`${day}T23:59:59.999`);
  return Number.isNaN(end.getTime()) || end.getFullYear() < FIRST_YEAR ? null : end.toISOString();
}

interface WholeTimelineProps {
  readonly customerId: string;
  /** Read again when it changes. */
  readonly version: string;
  readonly mayWrite: boolean;
}

/** Everything that ever happened with a customer: by channel or kind, from any day on, both ways. */
export function WholeTimeline({ customerId, version, mayWrite }: WholeTimelineProps) {
  const { t } = useLocalisation();
  const [shown, setShown] = useState('');
  const [day, setDay] = useState('');
  const [until, setUntil] = useState<string | null>(null);
  const [words, setWords] = useState('');
  const [asked, setAsked] = useState('');
  const labelled = (choices: readonly Choice[]) => choices.map(([value, label]) => ({ value, label: t(label) }));
  const jump = (to: string) => {
    setDay(to);
    if (to === '' || endOf(to) !== null) setUntil(endOf(to));
  };
  return (
    <section aria-label={t('timeline.title')} data-testid="timeline">
      <div className={classes.timelineBar}>
        <NativeSelect
          label={t('filter.label')}
          value={shown}
          data={[
            { value: '', label: t('filter.all') },
            { group: t('filter.contacts'), items: labelled(CHANNELS) },
            { group: t('filter.record'), items: labelled(KINDS) },
          ]}
          onChange={(event) => setShown(event.currentTarget.value)}
          data-testid="timeline-filter"
        />
        <TextInput
          type="date"
          label={t('timeline.jump')}
          value={day}
          onChange={(event) => jump(event.currentTarget.value)}
          data-testid="timeline-jump"
        />
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setAsked(words.trim());
          }}
        >
          <TextInput
            type="search"
            label={t('timeline.words')}
            value={words}
            maxLength={200}
            onChange={(event) => {
              setWords(event.currentTarget.value);
              if (event.currentTarget.value.trim() === '') setAsked('');
            }}
            data-testid="timeline-words"
          />
        </form>
        {until !== null && (
          <Button variant="subtle" onClick={() => jump('')} data-testid="timeline-latest">
            {t('timeline.latest')}
          </Button>
        )}
      </div>
      <TimelineList
        customerId={customerId}
        version={version}
        mayWrite={mayWrite}
        filter={{ ...FILTERS.get(shown), ...(asked === '' ? {} : { words: asked }) }}
        until={until}
        page={PAGE}
        withDays
      />
    </section>
  );
}
