import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { ApiError } from '../api/http';
import * as api from '../api/session';
import { useLocalisation } from '../i18n/context';
import { supported, type Key } from '../i18n/translate';
import type { DeskSettings, SessionView } from '../wire';

/** Whether anybody is signed in. `unreachable`: the server did not answer, which says nothing about that. */
export type SessionState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'signed_out'; readonly ended: boolean }
  | { readonly kind: 'signed_in'; readonly person: SessionView; readonly settings: DeskSettings };

export interface Session {
  readonly state: SessionState;
  /** Raises `ApiError` when refused. */
  readonly signIn: (login: string, password: string) => Promise<void>;
  readonly signOut: () => Promise<void>;
  /** The server ended the session. */
  readonly sessionEnded: () => void;
  readonly retry: () => void;
}

const SessionContext = createContext<Session | null>(null);

export function SessionProvider({ children }: { readonly children: ReactNode }) {
  const [state, setState] = useState<SessionState>({ kind: 'loading' });
  const { suggestLanguage } = useLocalisation();
  const enter = useCallback(
    async (person: SessionView) => {
      const settings = await api.deskSettings();
      const language = supported(person.language);
      if (language) suggestLanguage(language);
      setState({ kind: 'signed_in', person, settings });
    },
    [suggestLanguage],
  );
  const resume = useCallback(() => {
    api
      .currentPerson()
      .then(enter)
      .catch((error: unknown) => {
        const refused = error instanceof ApiError && error.status === 401;
        setState(refused ? { kind: 'signed_out', ended: false } : { kind: 'unreachable' });
      });
  }, [enter]);
  useEffect(resume, [resume]);
  const sessionEnded = useCallback(() => setState({ kind: 'signed_out', ended: true }), []);
  const session = useMemo<Session>(
    () => ({
      state,
      signIn: async (login, password) => enter(await api.signIn(login, password)),
      signOut: async () => {
        await api.signOut();
        setState({ kind: 'signed_out', ended: false });
      },
      sessionEnded,
      retry: () => {
        setState({ kind: 'loading' });
        resume();
      },
    }),
    [state, enter, resume, sessionEnded],
  );
  return <SessionContext value={session}>{children}</SessionContext>;
}

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('useSession needs a SessionProvider above it');
  return session;
}

/** The person and the settings; for screens that only exist while somebody is signed in. */
export function useSignedIn(): { readonly person: SessionView; readonly settings: DeskSettings } {
  const { state } = useSession();
  if (state.kind !== 'signed_in') throw new Error('nobody is signed in');
  return state;
}

/** Labels of the site's own lists, in the language of the screen. */
export function useLabels() {
  const { settings } = useSignedIn();
  const { language, t } = useLocalisation();
  return useMemo(
    () => ({
      agent: (id: string) => api.label(settings.people, id, language),
      disposition: (code: string) => api.label(settings.dispositions, code, language),
      queue: (id: string) => api.label(settings.queues, id, language),
      reason: (code: string) => {
        const system = SYSTEM_REASONS[code];
        return system ? t(system) : api.label(settings.not_ready_reasons, code, language);
      },
    }),
    [settings, language, t],
  );
}

/** Reasons that the server gives by itself. */
const SYSTEM_REASONS: Partial<Record<string, Key>> = {
  no_answer: 'reason.no_answer',
  declined: 'reason.declined',
  phone_unreachable: 'reason.phone_unreachable',
  phone_busy: 'reason.phone_busy',
  signed_in: 'reason.signed_in',
  phone_gone: 'reason.phone_gone',
  lost_client: 'reason.lost_client',
  quarantined: 'reason.quarantined',
};
