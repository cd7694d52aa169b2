import { createContext, useContext, useMemo, useState, useSyncExternalStore, type ReactNode } from 'react';
import { useServerNow } from '../clock';
import { useSignedIn } from '../session/session';
import type { ContactView } from '../wire';
import { DraftBox, type Draft } from './drafts';

const DraftsContext = createContext<DraftBox | null>(null);

export function DraftsProvider({ children }: { readonly children: ReactNode }) {
  const { person } = useSignedIn();
  const box = useMemo(() => new DraftBox(localStorage, person.user_id), [person.user_id]);
  return <DraftsContext value={box}>{children}</DraftsContext>;
}

export function useDraftBox(): DraftBox {
  const box = useContext(DraftsContext);
  if (!box) throw new Error('useDraftBox needs a DraftsProvider above it');
  return box;
}

type DraftText = Pick<Draft, 'disposition' | 'notes'>;

/** The notes and the disposition of a contact, kept in this browser with every key press, and how to drop them. */
export function useDraft(contact: ContactView): [DraftText, (change: Partial<DraftText>) => void, () => void] {
  const box = useDraftBox();
  const serverNow = useServerNow();
  const { contact_id: contactId, caller, customer } = contact;
  const [text, setText] = useState<DraftText>(() => {
    const kept = box.of(contactId, serverNow());
    return { disposition: kept?.disposition ?? '', notes: kept?.notes ?? '' };
  });
  const change = (part: Partial<DraftText>) => {
    const next = { ...text, ...part };
    const customerId = customer.state === 'one' ? (customer.customer_ids[0] ?? null) : null;
    box.save({ contactId, caller, customerId, savedAt: serverNow(), ...next });
    setText(next);
  };
  return [text, change, () => box.discard(contactId)];
}

/** The notes that are still kept here; on an empty desk, those whose wrap-up ended without them. */
export function useLeftOverDrafts(): readonly Draft[] {
  const box = useDraftBox();
  const serverNow = useServerNow();
  useSyncExternalStore(box.subscribe, box.version);
  return box.all(serverNow()).filter((draft) => draft.notes.trim() !== '');
}
