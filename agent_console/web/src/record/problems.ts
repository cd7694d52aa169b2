import { useState } from 'react';
import { ApiError } from '../api/http';
import { useLocalisation } from '../i18n/context';
import type { Key, Translate } from '../i18n/translate';
import { useAnnouncer } from '../shell/announcer';

/** Refusals of the customer store in words; the rest say what the server says. */
const PROBLEMS: Partial<Record<string, Key>> = {
  unreachable: 'error.unreachable',
  'crm-unavailable': 'problem.unavailable',
  forbidden: 'refusal.not_allowed',
  'stale-row': 'problem.stale',
  'etag-mismatch': 'problem.stale',
  'write-conflict': 'problem.stale',
  'contact-point-exists': 'problem.point_exists',
  'invalid-contact-point': 'problem.bad_point',
  'identity-taken': 'problem.identity_taken',
  'owned-by-another': 'problem.owned',
  'hierarchy-loop': 'problem.loop',
  'customer-not-found': 'problem.not_found',
  'cannot-merge': 'problem.cannot_merge',
  'cannot-undo': 'problem.cannot_undo',
  'on-legal-hold': 'problem.on_hold',
  'token-name-taken': 'problem.name_taken',
  'invalid-file': 'problem.bad_file',
};

/** Why something could not be done, for people. */
export function problemText(error: unknown, t: Translate): string {
  if (!(error instanceof ApiError)) return t('error.save');
  const known = PROBLEMS[error.code];
  if (known) return t(known);
  return error.message ? t('problem.other', { message: error.message }) : t('error.save');
}

/** Something a person asked for that takes a moment and may fail. */
export interface Action {
  readonly busy: boolean;
  readonly problem: string | null;
  /** Runs it; `false` when it failed, and then `problem` says why. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
  readonly forget: () => void;
}

export function useAction(): Action {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const run = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
      return true;
    } catch (error) {
      const told = problemText(error, t);
      setProblem(told);
      announcer.alert(told);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run, forget: () => setProblem(null) };
}
