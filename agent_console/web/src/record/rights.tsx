import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import type { CustomerRecord } from '../api/record';
import { erase, erasurePreview, exportPerson, mergesOf, undoMerge, type Receipt } from '../api/stewardship';
import { useFetched } from '../api/use-fetched';
import { CustomerLink } from '../customers/customer-link';
import { useLocalisation } from '../i18n/context';
import { CustomerHold } from './legal-hold';
import { Problem } from './problem';
import { useAction } from './problems';
import classes from './record.module.css';

/** Saves a value as a JSON file of this computer. */
function saveAs(name: string, value: unknown): void {
  const address = URL.createObjectURL(new Blob([JSON.stringify(value, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

/** What an erasure took, signed by the store: the only thing that stays to show that it happened. */
export function ReceiptView({ receipt }: { readonly receipt: Receipt }) {
  const { t, format } = useLocalisation();
  return (
    <div className={`${classes.verdict} tone-good`} data-testid="receipt">
      <p>
        <strong>{t('erasure.done')}</strong>
      </p>
      <p>
        {t('erasure.receipt', { id: receipt.id, at: format.dateTime(receipt.at) })}{' '}
        <span className="wrap-anywhere">{receipt.signature}</span>
      </p>
      <Button variant="default" onClick={() => saveAs(`receipt-${receipt.id}.json`, receipt)}>
        {t('erasure.save_receipt')}
      </Button>
    </div>
  );
}

function Erasure({ record, onErased }: { readonly record: CustomerRecord; readonly onErased: (it: Receipt) => void }) {
  const { t, format } = useLocalisation();
  const action = useAction();
  const [basis, setBasis] = useState('withdrawn_consent');
  const [typed, setTyped] = useState('');
  const preview = useFetched(record.id, () => erasurePreview(record.id));
  const rows = Object.values(preview.value?.rows ?? {}).reduce((sum, count) => sum + count, 0);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void action.run(async () => onErased(await erase(record.id, basis)));
  };
  return (
    <form onSubmit={submit} className={classes.form} data-testid="erasure">
      <h3 className={classes.subheading}>{t('erasure.title')}</h3>
      <p>{t('erasure.lead')}</p>
      {preview.value && (
        <p data-testid="erasure-preview">
          {t('erasure.preview', {
            rows: format.number(rows),
            customers: format.number(preview.value.customer_ids.length),
          })}
        </p>
      )}
      <div className={classes.inputs}>
        <NativeSelect
          label={t('reason.label')}
          value={basis}
          data={[
            { value: 'withdrawn_consent', label: t('erasure.withdrawn') },
            { value: 'objection', label: t('erasure.objection') },
            { value: 'no_longer_needed', label: t('erasure.not_needed') },
            { value: 'unlawful', label: t('erasure.unlawful') },
          ]}
          onChange={(event) => setBasis(event.currentTarget.value)}
          data-testid="erasure-reason"
        />
        <TextInput
          label={t('erasure.confirm', { name: record.display_name })}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
          data-testid="erasure-confirm"
        />
      </div>
      <Problem text={action.problem} />
      <div>
        <Button
          type="submit"
          color="red.9"
          disabled={typed.trim() !== record.display_name}
          loading={action.busy}
          data-testid="erase"
        >
          {t('erasure.do')}
        </Button>
      </div>
    </form>
  );
}

interface RightsProps {
  readonly record: CustomerRecord;
  readonly mayMerge: boolean;
  readonly onChanged: () => void;
  readonly onErased: (receipt: Receipt) => void;
}

/** Merges of the customer that can be taken back. */
function Merges({ record, onChanged }: Pick<RightsProps, 'record' | 'onChanged'>) {
  const { t, format } = useLocalisation();
  const action = useAction();
  const merges = useFetched(`${record.id} ${record.row_version}`, (signal) => mergesOf(record.id, signal));
  const open = (merges.value ?? []).filter((merge) => merge.undone_at === null && merge.survivor_id === record.id);
  if (open.length === 0) return null;
  const undo = async (id: string) => {
    if (await action.run(() => undoMerge(id))) onChanged();
  };
  return (
    <section aria-label={t('merge.earlier')} className={classes.stack}>
      <h3 className={classes.subheading}>{t('merge.earlier')}</h3>
      <ul className={classes.rows}>
        {open.map((merge) => (
          <li key={merge.id} className={classes.row} data-testid="earlier-merge">
            <span className={classes.rowText}>
              <CustomerLink customerId={merge.merged_id} />
              <span className="soft">{[format.dateTime(merge.at), merge.actor_id].filter(Boolean).join(' · ')}</span>
            </span>
            <Button size="sm" variant="default" loading={action.busy} onClick={() => void undo(merge.id)}>
              {t('merge.undo')}
            </Button>
          </li>
        ))}
      </ul>
      <Problem text={action.problem} />
    </section>
  );
}

/** What a person may ask of those who keep their data: a copy of all of it, and that it goes. */
export function Rights({ record, mayMerge, onChanged, onErased }: RightsProps) {
  const { t } = useLocalisation();
  const copy = useAction();
  return (
    <div className={classes.stack}>
      {mayMerge && <Merges record={record} onChanged={onChanged} />}
      <h3 className={classes.subheading}>{t('copy.title')}</h3>
      <p>{t('copy.lead')}</p>
      <Problem text={copy.problem} />
      <div>
        <Button
          variant="light"
          loading={copy.busy}
          onClick={() => void copy.run(async () => saveAs(`customer-${record.id}.json`, await exportPerson(record.id)))}
          data-testid="copy-of-all"
        >
          {t('copy.do')}
        </Button>
      </div>
      {record.status === 'active' && <CustomerHold customerId={record.id} />}
      {record.status === 'active' && <Erasure record={record} onErased={onErased} />}
    </div>
  );
}
