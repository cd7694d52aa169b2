import type { Key } from '../i18n/translate';
import type { IntentName } from '../live/pending';
import type { ContactView } from '../wire';
import type { ShortcutAction } from './shortcuts';

/** Something an agent may ask of the call at hand with one press. */
export interface CallOrder {
  readonly intent: IntentName;
  readonly label: Key;
  readonly shortcut: ShortcutAction;
  readonly testId: string;
}

const HOLD: CallOrder = { intent: 'contact.hold', label: 'call.hold', shortcut: 'hold', testId: 'hold' };
const RESUME: CallOrder = { intent: 'contact.resume', label: 'call.resume', shortcut: 'hold', testId: 'resume' };
const PARK: CallOrder = { intent: 'contact.park', label: 'call.park', shortcut: 'park', testId: 'park' };
const COMPLETE: CallOrder = {
  intent: 'consult.complete',
  label: 'consult.complete',
  shortcut: 'complete',
  testId: 'consult-complete',
};
const SWAP: CallOrder = { intent: 'consult.swap', label: 'consult.swap', shortcut: 'swap', testId: 'consult-swap' };
const CONFERENCE: CallOrder = {
  intent: 'consult.conference',
  label: 'consult.conference',
  shortcut: 'conference',
  testId: 'consult-conference',
};
const CANCEL: CallOrder = {
  intent: 'consult.cancel',
  label: 'consult.cancel',
  shortcut: 'cancelConsult',
  testId: 'consult-cancel',
};

/** What may be asked of a conversation now; the exchange has the last word. */
export function callOrders(contact: ContactView): readonly CallOrder[] {
  if (contact.state !== 'connected') return [];
  switch (contact.consult_state) {
    case 'seeking':
      return [SWAP, CANCEL];
    case 'talking':
    case 'held':
      return [COMPLETE, SWAP, CONFERENCE, CANCEL];
    case 'conference':
      return [COMPLETE, CANCEL];
    default:
      return [contact.held_since === null ? HOLD : RESUME, PARK];
  }
}

/** Why the exchange would refuse orders about this conversation now, in words; `null` while they count. */
export function whyNot(contact: ContactView): Key | null {
  if (contact.orders_refused === '') return null;
  return contact.orders_refused === 'not-yours' ? 'refusal.not_yours' : 'refusal.let_wait';
}

/** Whether somebody else may be brought into the conversation. */
export function mayTransfer(contact: ContactView): boolean {
  return contact.state === 'connected' && contact.consult_state === null;
}

/** The keys of a telephone, in their order. */
export const KEYPAD = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const;

/** The digits in what was typed or pasted: separators people write are left out. */
export function digitsIn(text: string): string {
  return text.replace(/[^0-9*#]/g, '');
}
