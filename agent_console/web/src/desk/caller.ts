import type { Translate } from '../i18n/translate';
import type { ContactView } from '../wire';

/** Numbers that stand for a caller who hides the number. */
const WITHHELD = new Set(['', 'anonymous', 'unknown', 'restricted', 'unavailable']);

/** The number of whoever is at the other end: who called, or whom an agent or a callback called. */
export function numberOf(contact: ContactView): string {
  const calls = contact.kind === 'outbound' || (contact.kind === 'internal' && !contact.parent_id);
  return calls ? contact.called : contact.caller;
}

/** Whether the caller's number can be shown, searched and called back. */
export function hasNumber(contact: ContactView): boolean {
  return !WITHHELD.has(numberOf(contact).toLowerCase());
}

/** The caller's own name, when the network sent one that is not just the number again; else `''`. */
export function sentName(contact: ContactView): string {
  const name = contact.caller_name.trim();
  return name === numberOf(contact) || WITHHELD.has(name.toLowerCase()) ? '' : name;
}

/** What to call a caller: the customer's name, the name the network sent, the number. */
export function callerOf(contact: ContactView, t: Translate): string {
  const number = hasNumber(contact) ? numberOf(contact) : t('caller.withheld');
  return contact.customer.name ?? (sentName(contact) || number);
}
