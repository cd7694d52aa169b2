import { Button, NativeSelect } from '@mantine/core';
import { useState } from 'react';
import { may } from '../api/permissions';
import {
  IMPORT_FIELDS,
  imports,
  previewImport,
  runImport,
  undoImport,
  type ImportJob,
  type ImportPreview,
  type ImportReport,
  type RefusedRow,
} from '../api/stewardship';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { fieldName } from '../record/field-names';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useSignedIn } from '../session/session';
import { useAnnouncer } from '../shell/announcer';
import { PagesNav } from './pages-nav';
import classes from './stewardship.module.css';

const COLUMNS: Readonly<Partial<Record<string, Key>>> = {
  kind: 'create.kind',
  phone: 'create.number',
  phone_2: 'import.second_number',
  email: 'create.email',
  member_no: 'provider.member_no',
  id_card: 'provider.id_card',
};

const STATES: Readonly<Record<ImportJob['state'], Key>> = {
  running: 'import.running',
  done: 'import.done',
  undone: 'import.undone',
};

function Counts({ report }: { readonly report: Partial<ImportReport> }) {
  const { t, format } = useLocalisation();
  return (
    <p data-testid="import-counts">
      {t('import.counts', {
        rows: format.number(report.rows ?? 0),
        created: format.number(report.created ?? 0),
        duplicates: format.number(report.duplicates ?? 0),
        invalid: format.number(report.invalid ?? 0),
      })}
    </p>
  );
}

function RefusedRows({ title, rows }: { readonly title: string; readonly rows: readonly RefusedRow[] }) {
  if (rows.length === 0) return null;
  return (
    <details className={classes.more}>
      <summary>{title}</summary>
      <ul className={classes.rows}>
        {rows.map((row, index) => (
          <li key={index} className="wrap-anywhere">
            {Object.entries(row)
              .map(([name, value]) => `${name} ${String(value)}`)
              .join(' · ')}
          </li>
        ))}
      </ul>
    </details>
  );
}

interface MappingProps {
  readonly preview: ImportPreview;
  readonly onChange: (mapping: Readonly<Record<string, number>>) => void;
}

/** Which column is what; each field has one column at most. */
function Mapping({ preview, onChange }: MappingProps) {
  const { t } = useLocalisation();
  const name = (field: string) => (COLUMNS[field] ? t(COLUMNS[field]) : fieldName(field, t));
  const fieldAt = (place: number) => Object.entries(preview.mapping).find(([, each]) => each === place)?.[0] ?? '';
  const choose = (place: number, field: string) => {
    const rest = Object.entries(preview.mapping).filter(([other, each]) => each !== place && other !== field);
    onChange(Object.fromEntries(field ? [...rest, [field, place]] : rest));
  };
  return (
    <fieldset className={classes.mapping}>
      <legend>{t('import.mapping')}</legend>
      {preview.header.map((column, place) => (
        <NativeSelect
          key={`${place} ${column}`}
          label={column || t('import.column', { number: place + 1 })}
          value={fieldAt(place)}
          data={[
            { value: '', label: t('import.ignored') },
            ...IMPORT_FIELDS.map((field) => ({ value: field, label: name(field) })),
          ]}
          onChange={(event) => choose(place, event.currentTarget.value)}
          data-testid={`column-${place}`}
        />
      ))}
    </fieldset>
  );
}

function Upload({ onDone }: { readonly onDone: () => void }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [file, setFile] = useState<File | null>(null);
  const [preview, setPreview] = useState<ImportPreview | null>(null);
  const look = (chosen: File, mapping: Readonly<Record<string, number>> | null) =>
    action.run(async () => setPreview(await previewImport(chosen, mapping)));
  const run = async () => {
    if (!file || !preview) return;
    const done = await action.run(() => runImport(file, preview.mapping));
    if (!done) return;
    announcer.status(t('import.done'));
    setFile(null);
    setPreview(null);
    onDone();
  };
  return (
    <section className={`panel ${classes.stack}`} aria-label={t('import.title')}>
      <h1>{t('import.title')}</h1>
      <p className="soft">{t('import.lead')}</p>
      <label className={classes.file}>
        <span>{t('import.file')}</span>
        <input
          key={file === null ? 'none' : 'chosen'}
          type="file"
          accept=".csv,.xlsx"
          onChange={(event) => {
            const chosen = event.currentTarget.files?.[0] ?? null;
            setFile(chosen);
            setPreview(null);
            if (chosen) void look(chosen, null);
          }}
          data-testid="import-file"
        />
      </label>
      <Problem text={action.problem} />
      {file && preview && (
        <div className={classes.stack} data-testid="import-preview">
          <p>
            <strong>{file.name}</strong>
          </p>
          <Mapping preview={preview} onChange={(mapping) => void look(file, mapping)} />
          <p className="soft">{t('import.preview')}</p>
          <Counts report={preview} />
          <RefusedRows title={t('import.duplicate_rows')} rows={preview.duplicate_rows} />
          <RefusedRows title={t('import.invalid_rows')} rows={preview.invalid_rows} />
          <div className={classes.buttons}>
            <Button loading={action.busy} onClick={() => void run()} data-testid="run-import">
              {t('import.run')}
            </Button>
            <Button
              variant="default"
              onClick={() => {
                setFile(null);
                setPreview(null);
              }}
            >
              {t('action.cancel')}
            </Button>
          </div>
        </div>
      )}
    </section>
  );
}

function Job({ job, onUndone }: { readonly job: ImportJob; readonly onUndone: () => void }) {
  const { t, format } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const undo = async () => {
    const done = await action.run(async () => {
      const { removed, kept } = await undoImport(job.id);
      announcer.status(t('import.taken_back', { removed, kept }));
    });
    if (done) onUndone();
  };
  return (
    <li className={classes.job} data-testid="import-job" data-state={job.state}>
      <div>
        <strong className="wrap-anywhere">{job.file_name}</strong>{' '}
        <span className="soft">
          {[t(STATES[job.state]), format.dateTime(job.at), job.actor_id].filter(Boolean).join(' · ')}
        </span>
        <Counts report={job.report} />
        <RefusedRows title={t('import.duplicate_rows')} rows={job.report.duplicate_rows ?? []} />
        <RefusedRows title={t('import.invalid_rows')} rows={job.report.invalid_rows ?? []} />
        <Problem text={action.problem} />
      </div>
      {job.state === 'done' && (
        <Button
          size="sm"
          variant="default"
          loading={action.busy}
          onClick={() => void undo()}
          aria-label={t('import.undo_named', { name: job.file_name })}
          data-testid="undo-import"
        >
          {t('import.undo')}
        </Button>
      )}
    </li>
  );
}

/** Tables in and out: a file is looked at before it is entered, and an import can be taken back. */
export default function ImportPage() {
  const { t } = useLocalisation();
  const { person } = useSignedIn();
  const jobs = useFetched('imports', imports);
  return (
    <>
      <PagesNav current="import" />
      <div className={classes.stack}>
        <Upload onDone={jobs.reload} />
        <section className={`panel ${classes.stack}`} aria-label={t('import.earlier')}>
          <h2>{t('import.earlier')}</h2>
          {jobs.error && <LoadProblem onRetry={jobs.reload} />}
          {jobs.value?.length === 0 && <p className="soft">{t('import.none')}</p>}
          <ol className={classes.rows}>
            {jobs.value?.map((job) => (
              <Job key={job.id} job={job} onUndone={jobs.reload} />
            ))}
          </ol>
        </section>
        {may(person, 'export') && (
          <section className={`panel ${classes.stack}`} aria-label={t('export.title')}>
            <h2>{t('export.title')}</h2>
            <p className="soft">{t('export.lead')}</p>
            <div className={classes.buttons}>
              <Button component="a" variant="default" href="/api/v1/exports/customers.csv" download>
                {t('export.csv')}
              </Button>
              <Button component="a" variant="default" href="/api/v1/exports/customers.xlsx" download>
                {t('export.xlsx')}
              </Button>
            </div>
          </section>
        )}
      </div>
    </>
  );
}
