import { ActionIcon, Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import type { CustomerRecord, PersonalPreference } from '../api/record';
import { addTaste, removeTaste } from '../api/tastes';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { Problem } from './problem';
import { useAction } from './problems';
import { PREFERENCE_SOURCES } from './preference-sources';
import { choices, said, TASTES } from './words';
import { WhyKnown } from './why-known';
import classes from './record.module.css';

interface TastesProps {
  readonly record: CustomerRecord;
  readonly mayEdit: boolean;
  /** To be read again. */
  readonly onChanged: () => void;
}

function NewTaste({ customerId, onAdded }: { readonly customerId: string; readonly onAdded: () => void }) {
  const { t } = useLocalisation();
  const action = useAction();
  const [kind, setKind] = useState('hobby');
  const [value, setValue] = useState('');
  const [source, setSource] = useState('customer');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void action.run(async () => {
      await addTaste(customerId, { kind, value: value.trim(), source });
      setValue('');
      onAdded();
    });
  };
  return (
    <form onSubmit={submit} className={classes.inlineForm}>
      <NativeSelect
        label={t('taste.kind')}
        value={kind}
        data={choices(TASTES, t)}
        onChange={(event) => setKind(event.currentTarget.value)}
        data-testid="taste-kind"
      />
      <TextInput
        label={t('taste.what')}
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
        maxLength={200}
        data-testid="taste-value"
      />
      <NativeSelect
        label={t('why_known.source')}
        value={source}
        data={choices(PREFERENCE_SOURCES, t).filter((each) => each.value !== 'import')}
        onChange={(event) => setSource(event.currentTarget.value)}
        data-testid="taste-source"
      />
      <Button type="submit" loading={action.busy} disabled={value.trim() === ''} data-testid="add-taste">
        {t('action.add')}
      </Button>
      <Problem text={action.problem} />
    </form>
  );
}

/** What the customer likes: hobbies, presents, how and when to be spoken to; each with its source and date. */
export function Tastes({ record, mayEdit, onChanged }: TastesProps) {
  const { t, format } = useLocalisation();
  const action = useAction();
  const [adding, setAdding] = useState(false);
  const take = ({ id }: PersonalPreference) =>
    void action.run(async () => {
      await removeTaste(record.id, id);
      onChanged();
    });
  return (
    <section aria-label={t('taste.title')} className={classes.stack} data-testid="tastes">
      <div className={classes.headingRow}>
        <span className={classes.withWhy}>
          <h3 className={classes.subheading}>{t('taste.title')}</h3>
          {record.personal_preferences.length > 0 && (
            <WhyKnown
              customerId={record.id}
              about={t('taste.title')}
              fields={['personal_preference']}
              labels={Object.fromEntries(record.personal_preferences.map(({ id, value }) => [id, value]))}
            />
          )}
        </span>
        {mayEdit && (
          <Button size="compact-sm" variant="subtle" onClick={() => setAdding(!adding)} data-testid="new-taste">
            {adding ? t('action.close') : t('action.add')}
          </Button>
        )}
      </div>
      {record.personal_preferences.length === 0 && !adding && <p className="soft">{t('preference.none')}</p>}
      <ul className={classes.rows}>
        {record.personal_preferences.map((taste) => (
          <li key={taste.id} className={classes.row} data-testid="taste">
            <span className={classes.rowText}>
              <span>
                <strong>{said(TASTES, taste.kind, t)}</strong> {taste.value}
              </span>
              <span className="soft">
                {said(PREFERENCE_SOURCES, taste.source, t)} · {format.day(taste.noted_at)}
              </span>
            </span>
            {mayEdit && (
              <ActionIcon
                size={32}
                variant="subtle"
                color="gray"
                onClick={() => take(taste)}
                aria-label={t('preference.remove', { name: taste.value })}
                title={t('preference.remove', { name: taste.value })}
              >
                <Icon name="close" />
              </ActionIcon>
            )}
          </li>
        ))}
      </ul>
      <Problem text={action.problem} />
      {adding && <NewTaste customerId={record.id} onAdded={onChanged} />}
    </section>
  );
}
