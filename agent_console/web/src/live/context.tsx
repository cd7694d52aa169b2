import { createContext, useContext, useEffect, useMemo, useSyncExternalStore, type ReactNode } from 'react';
import { ClockProvider } from '../clock';
import { browserSurroundings } from './browser-surroundings';
import { LiveConnection, type Live } from './connection';

const ConnectionContext = createContext<LiveConnection | null>(null);

interface LiveProviderProps {
  readonly agentId: string | null;
  readonly onSignedOut: () => void;
  readonly children: ReactNode;
}

/** Keeps the socket open for as long as it is on the page. */
export function LiveProvider({ agentId, onSignedOut, children }: LiveProviderProps) {
  const connection = useMemo(
    () => new LiveConnection(browserSurroundings, agentId, onSignedOut),
    [agentId, onSignedOut],
  );
  useEffect(() => {
    connection.start();
    window.addEventListener('online', connection.retryNow);
    window.addEventListener('offline', connection.cutOff);
    return () => {
      window.removeEventListener('online', connection.retryNow);
      window.removeEventListener('offline', connection.cutOff);
      connection.stop();
    };
  }, [connection]);
  const { clockOffset } = useSyncExternalStore(connection.subscribe, connection.read);
  return (
    <ConnectionContext value={connection}>
      <ClockProvider offset={clockOffset}>{children}</ClockProvider>
    </ConnectionContext>
  );
}

export function useConnection(): LiveConnection {
  const connection = useContext(ConnectionContext);
  if (!connection) throw new Error('useConnection needs a LiveProvider above it');
  return connection;
}

export function useLive(): Live {
  const connection = useConnection();
  return useSyncExternalStore(connection.subscribe, connection.read);
}
