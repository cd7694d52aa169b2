import { Button } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { customFields, editCustomer, type CustomerRecord, type CustomField, type FieldGroup } from '../api/record';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { useAnnouncer } from '../shell/announcer';
import { ClashChooser } from './clash-chooser';
import { FieldInput, labelOf } from './field-input';
import { FieldValue } from './field-value';
import { changed, clashes, editOf, fieldsOf, valuesOf, type Field, type Values } from './fields';
import { Problem } from './problem';
import { useVersionedSave } from './versioned-save';
import { WhyKnown } from './why-known';
import classes from './record.module.css';

export const GROUPS: Readonly<Record<FieldGroup, Key>> = {
  visible: 'group.visible',
  related: 'group.related',
  extended: 'group.extended',
};

interface DetailsProps {
  readonly record: CustomerRecord;
  readonly mayEdit: boolean;
  readonly onSaved: (record: CustomerRecord) => void;
}

function grouped(fields: readonly Field[]) {
  return (Object.keys(GROUPS) as FieldGroup[])
    .map((group) => ({ group, members: fields.filter((field) => field.group === group) }))
    .filter(({ members }) => members.length > 0);
}

interface ReadOnlyProps {
  readonly customerId: string;
  readonly fields: readonly Field[];
  readonly values: Values;
}

function ReadOnly({ customerId, fields, values }: ReadOnlyProps) {
  const { t } = useLocalisation();
  return grouped(fields).map(({ group, members }) => (
    <section key={group} aria-label={t(GROUPS[group])}>
      <div className={classes.withWhy}>
        <h3 className={classes.subheading}>{t(GROUPS[group])}</h3>
        <WhyKnown
          customerId={customerId}
          about={t(GROUPS[group])}
          fields={members.map(({ name }) => name)}
          labels={Object.fromEntries(members.map((field) => [field.name, labelOf(field, t)]))}
        />
      </div>
      <dl className={classes.facts}>
        {members.map((field) => (
          <div key={field.name}>
            <dt>{labelOf(field, t)}</dt>
            <dd data-testid={`value-${field.name}`}>
              <FieldValue field={field} value={values[field.name] ?? null} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  ));
}

interface EditFormProps {
  readonly record: CustomerRecord;
  readonly fields: readonly Field[];
  readonly onSaved: (record: CustomerRecord) => void;
  readonly onClose: () => void;
}

function EditForm({ record, fields, onSaved, onClose }: EditFormProps) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const [base, setBase] = useState(record);
  const [now, setNow] = useState<Values>(() => valuesOf(record, fields));
  const before = valuesOf(base, fields);
  const saving = useVersionedSave(record.id, onSaved);
  const clashesWith = (newer: CustomerRecord, mine: Values) => clashes(before, mine, valuesOf(newer, fields));
  const write = async (mine: Values, version: number) => {
    if (Object.keys(mine).length === 0) {
      onClose();
      return;
    }
    const edit = (seen: number) => editCustomer(record.id, editOf(mine), seen);
    const done = await saving.save(version, edit, (newer) => (clashesWith(newer, mine).length === 0 ? edit : null));
    if (!done) return;
    announcer.status(t('record.saved'));
    onClose();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void write(changed(before, now, fields), base.row_version);
  };
  const { newer } = saving;
  if (newer) {
    const mine = changed(before, now, fields);
    const found = clashesWith(newer, mine);
    const settle = (kept: readonly string[]) => {
      const given = found.filter(({ name }) => !kept.includes(name)).map(({ name }) => name);
      const rest = Object.fromEntries(Object.entries(mine).filter(([name]) => !given.includes(name)));
      saving.settle();
      setBase(newer);
      setNow({ ...valuesOf(newer, fields), ...rest });
      void write(rest, newer.row_version);
    };
    return <ClashChooser fields={fields} clashes={found} onSettle={settle} onCancel={onClose} />;
  }
  return (
    <form onSubmit={submit} className={classes.form} data-testid="record-form">
      {grouped(fields).map(({ group, members }) => (
        <fieldset key={group} className={classes.group}>
          <legend>{t(GROUPS[group])}</legend>
          <div className={classes.inputs}>
            {members.map((field) => (
              <FieldInput
                key={field.name}
                field={field}
                value={now[field.name] ?? null}
                onChange={(value) => setNow((earlier) => ({ ...earlier, [field.name]: value }))}
              />
            ))}
          </div>
        </fieldset>
      ))}
      <Problem text={saving.problem} />
      <div className={classes.buttons}>
        <Button type="submit" loading={saving.busy} data-testid="save-record">
          {t('action.save')}
        </Button>
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
      </div>
    </form>
  );
}

function Loaded({ record, custom, mayEdit, onSaved }: DetailsProps & { readonly custom: readonly CustomField[] }) {
  const { t } = useLocalisation();
  const [editing, setEditing] = useState(false);
  const fields = fieldsOf(record.kind, custom);
  if (editing) {
    return <EditForm record={record} fields={fields} onSaved={onSaved} onClose={() => setEditing(false)} />;
  }
  return (
    <div className={classes.stack}>
      {mayEdit && (
        <div>
          <Button
            variant="light"
            leftSection={<Icon name="pencil" />}
            onClick={() => setEditing(true)}
            data-testid="edit-record"
          >
            {t('record.edit')}
          </Button>
        </div>
      )}
      <ReadOnly customerId={record.id} fields={fields} values={valuesOf(record, fields)} />
    </div>
  );
}

/** The fields of a record, to read and to edit. */
export function Details(props: DetailsProps) {
  const { t } = useLocalisation();
  const custom = useFetched('custom fields', customFields);
  if (!custom.value && !custom.error) return <p className="soft">{t('loading')}</p>;
  return <Loaded {...props} custom={custom.value ?? []} />;
}
