import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react';
import { useConnection } from '../live/context';
import { recall, remember } from '../preferences';
import type { PhoneState, Softphone } from './softphone';

/** The phone of this page. `unsupported`: no browser phone without a secure address. */
export interface PhoneSwitch {
  readonly supported: boolean;
  /** Whether the agent uses this browser as a phone. */
  readonly wanted: boolean;
  readonly want: (wanted: boolean) => void;
  /** `null` while it is off, or still loading. */
  readonly phone: Softphone | null;
}

const PhoneContext = createContext<PhoneSwitch | null>(null);

/** A reconnecting phone must not start anew: only `denied` waits for another try by the agent. */
const OFF: PhoneState = { status: 'asking', call: null, missing: [] };
const never = () => () => undefined;

/** Holds the phone for as long as somebody is signed in; its code is only loaded where it is wanted. */
export function SoftphoneProvider({
  agentId,
  children,
}: {
  readonly agentId: string | null;
  readonly children: ReactNode;
}) {
  const connection = useConnection();
  const supported = agentId !== null && 'mediaDevices' in navigator && 'locks' in navigator;
  const [wanted, setWanted] = useState(() => recall('phone') === 'browser');
  const [phone, setPhone] = useState<Softphone | null>(null);
  useEffect(() => {
    if (!supported || !wanted) return;
    let made: Softphone | null = null;
    const given = new AbortController();
    void import('./softphone').then(({ Softphone }) => {
      if (given.signal.aborted) return;
      made = new Softphone(connection, agentId);
      setPhone(made);
      void made.start();
    });
    return () => {
      given.abort();
      made?.stop();
      setPhone(null);
    };
  }, [supported, wanted, agentId, connection]);
  const want = useCallback((chosen: boolean) => {
    remember('phone', chosen ? 'browser' : 'other');
    setWanted(chosen);
  }, []);
  const value = useMemo(() => ({ supported, wanted, want, phone }), [supported, wanted, want, phone]);
  return <PhoneContext value={value}>{children}</PhoneContext>;
}

export function usePhoneSwitch(): PhoneSwitch {
  const value = useContext(PhoneContext);
  if (!value) throw new Error('usePhoneSwitch needs a SoftphoneProvider above it');
  return value;
}

/** The phone and its present state. */
export function usePhone(): { readonly phone: Softphone | null; readonly state: PhoneState } {
  const { phone } = usePhoneSwitch();
  const state = useSyncExternalStore(phone?.subscribe ?? never, phone?.read ?? (() => OFF));
  return { phone, state };
}
