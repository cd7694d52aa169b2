/**
 * Waits until this page is the one of this agent's pages in this browser that has the phone, and keeps it so.
 *
 * Returns the function that gives it up; another page has it within moments then, as when this one is closed.
 */
export function lead(agentId: string, onLeading: () => void): () => void {
  const given = new AbortController();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  navigator.locks
    .request(`softphone.${agentId}`, { signal: given.signal }, () => {
      onLeading();
      return held;
    })
    .catch(() => undefined); // given up before it was this page's turn
  return () => {
    given.abort();
    release();
  };
}
