import { ApiError } from '../api/http';
import { currentPerson } from '../api/session';
import type { SocketLike, Surroundings } from './connection';

/** A version 4 UUID; also on plain-http addresses, where `crypto.randomUUID` does not exist. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte, index) => {
    const marked = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte;
    return marked.toString(16).padStart(2, '0');
  }).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

async function isSignedIn(): Promise<boolean> {
  try {
    await currentPerson();
    return true;
  } catch (error) {
    return !(error instanceof ApiError && error.status === 401); // an unreachable server has not signed anybody out
  }
}

/** The browser as the connection sees it. */
export const browserSurroundings: Surroundings = {
  open: () => {
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
    return new WebSocket(`${scheme}://${window.location.host}/api/socket`) as SocketLike;
  },
  now: () => Date.now(),
  random: () => Math.random(),
  newId,
  schedule: (callback, milliseconds) => setTimeout(callback, milliseconds),
  cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  isSignedIn,
};
