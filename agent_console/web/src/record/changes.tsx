import { changesOf, type Change } from '../api/record';
import { useFetched } from '../api/use-fetched';
import { useServerNow } from '../clock';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import { fieldName } from './field-names';
import { RELATIONS, said } from './words';
import classes from './record.module.css';

/** A value of the store's JSON text as people read it. */
export function plainValue(json: string | null): string {
  if (json === null) return '';
  const value: unknown = JSON.parse(json);
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** One field before and after. */
export function ChangeLine({ change }: { readonly change: Change }) {
  const { t, format } = useLocalisation();
  const serverNow = useServerNow();
  const hidden = change.old_value === null && change.new_value === null;
  const read = (json: string | null) => {
    const value = plainValue(json);
    // Of a relation the store writes `type:id`; the id says nothing to people.
    return (change.field === 'relation' ? said(RELATIONS, value.split(':')[0] ?? '', t) : value) || t('value.none');
  };
  const before = read(change.old_value);
  const after = read(change.new_value);
  return (
    <div className={classes.change}>
      <p>
        <strong>{fieldName(change.field, t)}</strong>{' '}
        {hidden ? <span className="soft">{t('change.hidden')}</span> : t('change.values', { before, after })}
      </p>
      <p className="soft">
        <time dateTime={change.at} title={format.dateTime(change.at)}>
          {format.ago(change.at, serverNow())}
        </time>
        {change.actor_id && ` · ${change.actor_id}`}
        {change.reason && ` · ${change.reason}`}
      </p>
    </div>
  );
}

/** What was changed in the record, the latest first. */
export function Changes({ customerId, version }: { readonly customerId: string; readonly version: number }) {
  const { t } = useLocalisation();
  const found = useFetched(`${customerId} ${version}`, (signal) => changesOf(customerId, null, signal));
  if (found.error) return <LoadProblem onRetry={found.reload} />;
  if (!found.value) return <p className="soft">{t('loading')}</p>;
  if (found.value.length === 0) return <p className="soft">{t('change.none')}</p>;
  return (
    <ol className={classes.rows} data-testid="changes">
      {found.value.map((change) => (
        <li key={change.id}>
          <ChangeLine change={change} />
        </li>
      ))}
    </ol>
  );
}
