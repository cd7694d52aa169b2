import { createContext, useContext, useEffect, useRef, useState, useCallback, type ReactNode } from 'react';
import { clockDigits } from './i18n/format';

type Tick = () => void;

const ticks = new Set<Tick>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Calls `tick` four times a second; one timer serves the whole page. Returns the function that ends it. */
function onTick(tick: Tick): () => void {
  ticks.add(tick);
  timer ??= setInterval(() => ticks.forEach((each) => each()), 250);
  return () => {
    ticks.delete(tick);
    if (ticks.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const OffsetContext = createContext(0);

/** Server clock minus local clock in milliseconds, for every timer below. */
export function ClockProvider({ offset, children }: { readonly offset: number; readonly children: ReactNode }) {
  return <OffsetContext value={offset}>{children}</OffsetContext>;
}

/** Reads the server's clock, in milliseconds since the epoch. */
export function useServerNow(): () => number {
  const offset = useContext(OffsetContext);
  return useCallback(() => Date.now() + offset, [offset]);
}

/** What `read` says of the server's time, read again on each tick; renders only when the answer differs. */
export function useOnClock<Value extends string | number | boolean>(read: (now: number) => Value): Value {
  const serverNow = useServerNow();
  const latest = useRef(read);
  const [, render] = useState<Value>();
  useEffect(() => {
    latest.current = read;
  });
  useEffect(() => onTick(() => render(latest.current(serverNow()))), [serverNow]);
  return read(serverNow());
}

interface ElapsedProps {
  /** Server instant, in milliseconds. */
  readonly since: number;
}

/** The time since an instant. It writes its own text, so that a thousand of them cost no rendering. */
export function Elapsed({ since }: ElapsedProps) {
  const serverNow = useServerNow();
  const node = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const write = () => {
      const text = clockDigits(serverNow() - since);
      if (node.current && node.current.textContent !== text) node.current.textContent = text;
    };
    write();
    return onTick(write);
  }, [serverNow, since]);
  return <span ref={node} className="digits" />;
}

/** Whole seconds until a server instant, never below zero. */
export function useSecondsUntil(until: number): number {
  return useOnClock((now) => Math.max(0, Math.ceil((until - now) / 1_000)));
}
