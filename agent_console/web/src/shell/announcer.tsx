import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from 'react';

/** Speaks to people who use a screen reader. */
export interface Announcer {
  /** When they have a moment: a state has changed. */
  readonly status: (text: string) => void;
  /** At once: an offer, something lost, something refused. */
  readonly alert: (text: string) => void;
}

const AnnouncerContext = createContext<Announcer>({ status: () => undefined, alert: () => undefined });

/** Holds the page's only two live regions; they stay in place, because regions that come and go are not read. */
export function AnnouncerProvider({ children }: { readonly children: ReactNode }) {
  const [status, setStatus] = useState('');
  const [alert, setAlert] = useState('');
  const saySame = useCallback(
    (set: typeof setStatus) => (text: string) =>
      // The same words twice are only read when the text differs.
      set((before) => (before === text ? `${text}\u00a0` : text)),
    [],
  );
  const announcer = useMemo<Announcer>(() => ({ status: saySame(setStatus), alert: saySame(setAlert) }), [saySame]);
  return (
    <AnnouncerContext value={announcer}>
      {children}
      <div role="status" className="visually-hidden">
        {status}
      </div>
      <div role="alert" className="visually-hidden">
        {alert}
      </div>
    </AnnouncerContext>
  );
}

export const useAnnouncer = () => useContext(AnnouncerContext);
