import { ActionIcon } from '@mantine/core';
import { useRef, useState } from 'react';
import { attachmentsOf, contentPath, keepFile, removeFile, type Attachment } from '../api/record';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useAnnouncer } from '../shell/announcer';
import { Confirm } from './confirm';
import { Problem } from './problem';
import { useAction } from './problems';
import classes from './record.module.css';

interface FilesProps {
  readonly customerId: string;
  readonly mayEdit: boolean;
}

function FileRow({
  customerId,
  file,
  mayEdit,
  onGone,
}: FilesProps & { readonly file: Attachment; readonly onGone: () => void }) {
  const { t, format } = useLocalisation();
  const action = useAction();
  const [removing, setRemoving] = useState(false);
  const label = t('files.remove', { name: file.file_name });
  const take = async () => {
    if (await action.run(() => removeFile(customerId, file.id))) onGone();
  };
  return (
    <li className={classes.row} data-testid="file">
      <Icon name="note" />
      <span className={classes.rowText}>
        <a href={contentPath(file.id)} download={file.file_name} className="wrap-anywhere">
          {file.file_name}
        </a>
        <span className="soft">
          {[format.bytes(file.size_bytes), format.dateTime(file.created_at), file.author_id]
            .filter(Boolean)
            .join(' · ')}
        </span>
      </span>
      {mayEdit && (
        <ActionIcon
          size={32}
          variant="subtle"
          color="gray"
          aria-label={label}
          title={label}
          onClick={() => setRemoving(true)}
        >
          <Icon name="close" />
        </ActionIcon>
      )}
      <Problem text={action.problem} />
      {removing && (
        <Confirm
          title={label}
          text={t('files.remove_lead')}
          action={t('action.remove')}
          onConfirm={() => void take()}
          onClose={() => setRemoving(false)}
        />
      )}
    </li>
  );
}

function AddFile({ customerId, onKept }: { readonly customerId: string; readonly onKept: () => void }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const input = useRef<HTMLInputElement>(null);
  const keep = async (file: File | undefined) => {
    if (!file || !(await action.run(() => keepFile(customerId, file)))) return;
    if (input.current) input.current.value = '';
    announcer.status(t('files.kept'));
    onKept();
  };
  return (
    <div className={classes.stack}>
      <label className={classes.fileLabel}>
        <span>{t('files.add')}</span>
        <input
          ref={input}
          type="file"
          disabled={action.busy}
          onChange={(event) => void keep(event.currentTarget.files?.[0])}
          data-testid="add-file"
        />
      </label>
      <p className="soft">{t('files.limit')}</p>
      <Problem text={action.problem} />
    </div>
  );
}

/** The files about a customer: kept in the store, or described where their bytes lie elsewhere. */
export function Files({ customerId, mayEdit }: FilesProps) {
  const { t } = useLocalisation();
  const found = useFetched(customerId, (signal) => attachmentsOf(customerId, signal));
  return (
    <div className={classes.stack}>
      {mayEdit && <AddFile customerId={customerId} onKept={found.reload} />}
      {found.error && <LoadProblem onRetry={found.reload} />}
      {found.value?.length === 0 && <p className="soft">{t('files.none')}</p>}
      <ul className={classes.rows}>
        {found.value?.map((file) => (
          <FileRow key={file.id} customerId={customerId} file={file} mayEdit={mayEdit} onGone={found.reload} />
        ))}
      </ul>
    </div>
  );
}
