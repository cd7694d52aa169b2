import { useState } from 'react';
import { customerRecord, type CustomerRecord } from '../api/record';
import { ApiError } from '../api/http';
import { useAction, type Action } from './problems';

/** An edit of one version of the record; answers with the version it led to. */
export type Edit = (version: number) => Promise<CustomerRecord>;

/** What to do about a record that somebody else has changed since it was read. */
export type OnNewer = (newer: CustomerRecord) => Edit | null;

export interface VersionedSave extends Action {
  /** Somebody else's version, which the person has to look at before anything is written. */
  readonly newer: CustomerRecord | null;
  /** `false` when nothing was written. `onNewer` may say how the edit fits the newer version, else the person is asked. */
  readonly save: (version: number, edit: Edit, onNewer?: OnNewer) => Promise<boolean>;
  readonly settle: () => void;
}

/** Saves edits that say which version of the record they mean, and never writes over what was not seen. */
export function useVersionedSave(customerId: string, onSaved: (record: CustomerRecord) => void): VersionedSave {
  const action = useAction();
  const [newer, setNewer] = useState<CustomerRecord | null>(null);
  const attempt = async (version: number, edit: Edit, onNewer: OnNewer, left: number): Promise<boolean> => {
    try {
      onSaved(await edit(version));
      setNewer(null);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
      const found = await customerRecord(customerId);
      const again = left > 0 ? onNewer(found) : null;
      if (again) return attempt(found.row_version, again, onNewer, left - 1);
      setNewer(found);
      return false;
    }
  };
  const save = async (version: number, edit: Edit, onNewer: OnNewer = () => null) => {
    let written = false;
    const ran = await action.run(async () => {
      written = await attempt(version, edit, onNewer, 2);
    });
    return ran && written;
  };
  return { ...action, newer, save, settle: () => setNewer(null) };
}
