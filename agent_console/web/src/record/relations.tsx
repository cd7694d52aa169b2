import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import {
  addRelation,
  customerRecord,
  removeRelation,
  subsidiaries,
  type CustomerRecord,
  type Relation,
} from '../api/record';
import { useFetched } from '../api/use-fetched';
import { CustomerLink } from '../customers/customer-link';
import { CustomerPicker } from '../customers/customer-picker';
import { useLocalisation } from '../i18n/context';
import type { Translate } from '../i18n/translate';
import { addressOf } from '../shell/route';
import { Problem } from './problem';
import { useAction } from './problems';
import { WhyKnown } from './why-known';
import { choices, RELATIONS, said } from './words';
import classes from './record.module.css';

interface RelationsProps {
  readonly record: CustomerRecord;
  readonly mayEdit: boolean;
  readonly onChanged: () => void;
}

/** What this customer and the other one are to each other, before the other one's name. */
function otherEnd(relation: Relation, customerId: string, t: Translate) {
  const what = said(RELATIONS, relation.type, t);
  if (relation.from_id === customerId) return { id: relation.to_id, is: t('relation.of', { what }) };
  return { id: relation.from_id, is: t('relation.is', { what }) };
}

function RelationRow({ record, relation, mayEdit, onChanged }: RelationsProps & { readonly relation: Relation }) {
  const { t } = useLocalisation();
  const action = useAction();
  const { id, is } = otherEnd(relation, record.id, t);
  const take = async () => {
    if (await action.run(() => removeRelation(record.id, relation.id))) onChanged();
  };
  return (
    <li className={classes.row} data-testid="relation">
      <span className={classes.rowText}>
        <span className="soft">{is}</span> <CustomerLink customerId={id} />
        {relation.note && <span className="soft">{relation.note}</span>}
      </span>
      {mayEdit && (
        <Button size="compact-sm" variant="subtle" loading={action.busy} onClick={() => void take()}>
          {t('action.remove')}
        </Button>
      )}
      <Problem text={action.problem} />
    </li>
  );
}

function AddRelation({ record, onChanged }: RelationsProps) {
  const { t } = useLocalisation();
  const action = useAction();
  const [other, setOther] = useState<string | null>(null);
  const [type, setType] = useState('contact');
  const [note, setNote] = useState('');
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    if (other === null) return;
    const relation = { to_id: other, type, note: note.trim() || null };
    if (!(await action.run(() => addRelation(record.id, relation)))) return;
    setOther(null);
    setNote('');
    onChanged();
  };
  return (
    <form onSubmit={(event) => void add(event)} className={classes.form}>
      <NativeSelect
        label={t('relation.this_is', { name: record.display_name })}
        value={type}
        data={choices(RELATIONS, t)}
        onChange={(event) => setType(event.currentTarget.value)}
        data-testid="relation-type"
      />
      <CustomerPicker
        label={t('relation.whose')}
        chosen={other}
        except={record.id}
        onChoose={setOther}
        testId="relation-other"
      />
      <TextInput
        label={t('relation.note')}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        maxLength={200}
      />
      <Problem text={action.problem} />
      <div>
        <Button
          type="submit"
          variant="light"
          disabled={other === null}
          loading={action.busy}
          data-testid="add-relation"
        >
          {t('action.add')}
        </Button>
      </div>
    </form>
  );
}

/** Rows of the hierarchy above that are shown; the store allows fifty. */
const SHOWN_ABOVE = 6;

async function above(parent: string, signal: AbortSignal): Promise<readonly { id: string; name: string }[]> {
  const found: { id: string; name: string }[] = [];
  for (let next: string | null = parent; next !== null && found.length < SHOWN_ABOVE;) {
    const record: CustomerRecord = await customerRecord(next, signal);
    found.unshift({ id: record.id, name: record.display_name });
    next = record.profile.parent_id;
  }
  return found;
}

function Hierarchy({ record }: { readonly record: CustomerRecord }) {
  const { t } = useLocalisation();
  const { parent_id } = record.profile;
  const higher = useFetched(`${record.id} ${parent_id ?? ''}`, (signal) =>
    parent_id === null ? Promise.resolve([]) : above(parent_id, signal),
  );
  const lower = useFetched(record.id, (signal) => subsidiaries(record.id, signal));
  if (parent_id === null && (lower.value ?? []).length === 0) return null;
  return (
    <div data-testid="hierarchy">
      <h4 className={classes.subheading}>{t('hierarchy.title')}</h4>
      <ol className={classes.hierarchy}>
        {higher.value?.map(({ id, name }) => (
          <li key={id}>
            <a href={addressOf({ page: 'customer', customerId: id })}>{name}</a>
          </li>
        ))}
        <li aria-current="true">
          <strong>{record.display_name}</strong>
          {lower.value && lower.value.length > 0 && (
            <ul className={classes.lower}>
              {lower.value.map((each) => (
                <li key={each.id}>
                  <a href={addressOf({ page: 'customer', customerId: each.id })}>{each.display_name}</a>
                </li>
              ))}
            </ul>
          )}
        </li>
      </ol>
    </div>
  );
}

/** Who the customer has to do with: people, and the organisations above and below. */
export function Relations(props: RelationsProps) {
  const { t } = useLocalisation();
  const { record, mayEdit } = props;
  return (
    <section aria-label={t('relation.title')} className={classes.stack} data-testid="relations">
      <span className={classes.withWhy}>
        <h3 className={classes.subheading}>{t('relation.title')}</h3>
        {record.relations.length > 0 && (
          <WhyKnown
            customerId={record.id}
            about={t('relation.title')}
            fields={['relation']}
            labels={Object.fromEntries(record.relations.map(({ id, type }) => [id, said(RELATIONS, type, t)]))}
          />
        )}
      </span>
      {record.relations.length === 0 && <p className="soft">{t('relation.none')}</p>}
      <ul className={classes.rows}>
        {record.relations.map((relation) => (
          <RelationRow key={relation.id} {...props} relation={relation} />
        ))}
      </ul>
      {record.kind === 'org' && <Hierarchy record={record} />}
      {mayEdit && (
        <details className={classes.more}>
          <summary data-testid="open-relation">{t('relation.add')}</summary>
          <AddRelation {...props} />
        </details>
      )}
    </section>
  );
}
