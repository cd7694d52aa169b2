import { attachmentsOf } from '../api/record';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import classes from './record.module.css';

/** The files about a customer. The store describes them; their bytes lie elsewhere. */
export function Files({ customerId }: { readonly customerId: string }) {
  const { t, format } = useLocalisation();
  const found = useFetched(customerId, (signal) => attachmentsOf(customerId, signal));
  if (found.error) return <LoadProblem onRetry={found.reload} />;
  if (!found.value) return <p className="soft">{t('loading')}</p>;
  if (found.value.length === 0) return <p className="soft">{t('files.none')}</p>;
  return (
    <ul className={classes.rows} data-testid="files">
      {found.value.map((file) => (
        <li key={file.id} className={classes.row}>
          <Icon name="note" />
          <span className={classes.rowText}>
            <span className="wrap-anywhere">{file.file_name}</span>
            <span className="soft">
              {[format.bytes(file.size_bytes), format.dateTime(file.created_at), file.author_id]
                .filter(Boolean)
                .join(' · ')}
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}
