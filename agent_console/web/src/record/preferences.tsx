import { ActionIcon, Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { putPreferences, type CustomerRecord, type Preference } from '../api/record';
import { useLocalisation } from '../i18n/context';
import { LANGUAGES, supported, type Translate } from '../i18n/translate';
import { Icon } from '../icons';
import { useAnnouncer } from '../shell/announcer';
import { Newer } from './newer';
import { Problem } from './problem';
import { useVersionedSave } from './versioned-save';
import { WhyKnown } from './why-known';
import { PREFERENCE_SOURCES } from './preference-sources';
import { CHANNELS, choices, PURPOSES, said, WEEKDAYS } from './words';
import classes from './record.module.css';

const A_NEW_ONE: Preference = {
  purpose: 'service',
  channel: 'voice',
  language: null,
  from_minute: null,
  to_minute: null,
  weekdays: [],
};

const two = (value: number) => String(value).padStart(2, '0');
const clockOf = (minute: number | null) =>
  minute === null ? '' : `${two(Math.floor(minute / 60) % 24)}:${two(minute % 60)}`;
const minuteOf = (clock: string) => {
  const [hours, minutes] = clock.split(':').map(Number);
  return hours === undefined || minutes === undefined || Number.isNaN(hours + minutes) ? null : hours * 60 + minutes;
};

/** A preference as a sentence without verbs: channel, language, hours, days. */
function summary(preference: Preference, t: Translate): string {
  const { from_minute, to_minute, weekdays } = preference;
  const language = supported(preference.language);
  const hours =
    from_minute === null && to_minute === null
      ? null
      : t('preference.hours', { from: clockOf(from_minute ?? 0), to: clockOf(to_minute) || '24:00' });
  const days = weekdays.map((day) => said(WEEKDAYS, day, t)).join(' ');
  return [said(CHANNELS, preference.channel, t), language ? LANGUAGES[language].name : preference.language, hours, days]
    .filter(Boolean)
    .join(' · ');
}

interface RowEditorProps {
  readonly preference: Preference;
  readonly isFirst: boolean;
  readonly onChange: (preference: Preference) => void;
  readonly onRemove: () => void;
  readonly onUp: () => void;
}

function RowEditor({ preference, isFirst, onChange, onRemove, onUp }: RowEditorProps) {
  const { t } = useLocalisation();
  const set = (part: Partial<Preference>) => onChange({ ...preference, ...part });
  const name = said(PURPOSES, preference.purpose, t);
  const languages = Object.entries(LANGUAGES).map(([value, { name: label }]) => ({ value, label }));
  return (
    <li className={classes.preference} data-testid="preference-editor">
      <div className={classes.inputs}>
        <NativeSelect
          label={t('consent.purpose')}
          value={preference.purpose}
          data={choices(PURPOSES, t, preference.purpose).filter(({ value }) => value !== '*')}
          onChange={(event) => set({ purpose: event.currentTarget.value })}
        />
        <NativeSelect
          label={t('consent.channel')}
          value={preference.channel}
          data={choices(CHANNELS, t, preference.channel).filter(({ value }) => value !== '*')}
          onChange={(event) => set({ channel: event.currentTarget.value })}
        />
        <NativeSelect
          label={t('field.preferred_language')}
          value={preference.language ?? ''}
          data={[{ value: '', label: '' }, ...languages]}
          onChange={(event) => set({ language: event.currentTarget.value || null })}
        />
        <TextInput
          type="time"
          label={t('preference.from')}
          value={clockOf(preference.from_minute)}
          onChange={(event) => set({ from_minute: minuteOf(event.currentTarget.value) })}
        />
        <TextInput
          type="time"
          label={t('preference.to')}
          value={clockOf(preference.to_minute)}
          onChange={(event) => set({ to_minute: minuteOf(event.currentTarget.value) })}
        />
        <NativeSelect
          label={t('why_known.source')}
          value={preference.source ?? ''}
          data={[{ value: '', label: '' }, ...choices(PREFERENCE_SOURCES, t)]}
          onChange={(event) => set({ source: event.currentTarget.value || null })}
        />
      </div>
      <fieldset className={classes.days}>
        <legend>{t('preference.days')}</legend>
        {Object.entries(WEEKDAYS).map(([day, label]) => (
          <Checkbox
            key={day}
            label={t(label)}
            checked={preference.weekdays.includes(day)}
            onChange={(event) =>
              set({
                weekdays: Object.keys(WEEKDAYS).filter((each) =>
                  each === day ? event.currentTarget.checked : preference.weekdays.includes(each),
                ),
              })
            }
          />
        ))}
      </fieldset>
      <div className={classes.buttons}>
        {!isFirst && (
          <Button size="compact-sm" variant="subtle" onClick={onUp} aria-label={t('preference.up_named', { name })}>
            {t('preference.up')}
          </Button>
        )}
        <ActionIcon
          size={32}
          variant="subtle"
          color="gray"
          onClick={onRemove}
          aria-label={t('preference.remove', { name })}
          title={t('preference.remove', { name })}
        >
          <Icon name="close" />
        </ActionIcon>
      </div>
    </li>
  );
}

interface PreferencesProps {
  readonly record: CustomerRecord;
  readonly mayEdit: boolean;
  readonly onSaved: (record: CustomerRecord) => void;
}

function Editor({ record, onSaved, onClose }: Omit<PreferencesProps, 'mayEdit'> & { readonly onClose: () => void }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const saving = useVersionedSave(record.id, onSaved);
  const [list, setList] = useState<readonly Preference[]>(record.preferences);
  const replace = (index: number, preference: Preference) =>
    setList(list.map((each, place) => (place === index ? preference : each)));
  const up = (index: number) => {
    const before = list[index - 1];
    const moved = list[index];
    if (before && moved) setList([...list.slice(0, index - 1), moved, before, ...list.slice(index + 1)]);
  };
  const write = async (version: number) => {
    // The store's answer carries the rank; the order of the list is what says it.
    const plain = list.map(({ purpose, channel, language, from_minute, to_minute, weekdays, source }) => ({
      purpose,
      channel,
      language,
      from_minute,
      to_minute,
      weekdays,
      source,
    }));
    if (!(await saving.save(version, (seen) => putPreferences(record.id, plain, seen)))) return;
    announcer.status(t('record.saved'));
    onClose();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void write(record.row_version);
  };
  return (
    <form onSubmit={submit} className={classes.stack}>
      <ol className={classes.rows}>
        {list.map((preference, index) => (
          <RowEditor
            key={index}
            preference={preference}
            isFirst={index === 0}
            onChange={(changed) => replace(index, changed)}
            onRemove={() => setList(list.filter((_, place) => place !== index))}
            onUp={() => up(index)}
          />
        ))}
      </ol>
      <Problem text={saving.problem} />
      <Newer save={saving} onSaved={onSaved} onInsist={(newer) => void write(newer.row_version)} />
      <div className={classes.buttons}>
        <Button variant="light" onClick={() => setList([...list, A_NEW_ONE])} data-testid="new-preference">
          {t('preference.add')}
        </Button>
        <Button type="submit" loading={saving.busy} data-testid="save-preferences">
          {t('action.save')}
        </Button>
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
      </div>
    </form>
  );
}

/** How the customer likes to be reached, for each purpose the favourite first. */
export function Preferences({ record, mayEdit, onSaved }: PreferencesProps) {
  const { t, format } = useLocalisation();
  const [editing, setEditing] = useState(false);
  return (
    <section aria-label={t('preference.title')} className={classes.stack} data-testid="preferences">
      <div className={classes.headingRow}>
        <span className={classes.withWhy}>
          <h3 className={classes.subheading}>{t('preference.title')}</h3>
          {record.preferences.length > 0 && (
            <WhyKnown customerId={record.id} about={t('preference.title')} fields={['preferences']} />
          )}
        </span>
        {mayEdit && !editing && (
          <Button size="compact-sm" variant="subtle" onClick={() => setEditing(true)} data-testid="edit-preferences">
            {t('action.change')}
          </Button>
        )}
      </div>
      {editing ? (
        <Editor record={record} onSaved={onSaved} onClose={() => setEditing(false)} />
      ) : record.preferences.length === 0 ? (
        <p className="soft">{t('preference.none')}</p>
      ) : (
        <ol className={classes.rows}>
          {record.preferences.map((each) => (
            <li key={`${each.purpose} ${each.channel}`} data-testid="preference">
              <strong>{said(PURPOSES, each.purpose, t)}</strong> {summary(each, t)}
              {each.source && each.noted_at && (
                <>
                  <br />
                  <span className="soft">
                    {said(PREFERENCE_SOURCES, each.source, t)} · {format.day(each.noted_at)}
                  </span>
                </>
              )}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
