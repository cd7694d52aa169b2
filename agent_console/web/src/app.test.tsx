// @vitest-environment jsdom
import { fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { App } from './app';
import { inBrowser } from './test/browser';
import { FakeServer } from './test/server';
import { aContact, aFloor, anAgent, NOON } from './test/views';

inBrowser();

const JANE = {
  customer_id: '42',
  display_name: 'Jane Cooper',
  preferred_language: 'en',
  level: 'Gold',
  customer_since: '2025-01-01T00:00:00Z',
  numbers: [{ value: '+44 20 7946 0991', normal_form: '+442079460991', is_primary: true }],
  emails: [],
  last_interactions: [
    {
      contact_id: 'old',
      started_at: '2025-10-08T09:00:00Z',
      channel: 'voice',
      direction: 'inbound',
      outcome: 'answered',
      queue_id: 'billing',
      agent_name: 'Boris',
      disposition: 'solved',
      notes: 'Charged twice.',
      talk_ms: 61_000,
    },
  ],
  contacts_in_window: 3,
  is_repeat_caller: true,
  badge: { name: 'Key account', rank: 90, colour: '#aa0000' },
  preferences: [{ purpose: 'service', channel: 'sms', language: 'zh' }],
  promises: [
    { id: '7', what: 'Send the refund', due_at: '2025-10-08T12:00:00Z', assignee_id: 'anna', is_overdue: true },
  ],
  related: [{ customer_id: '44', display_name: 'Tom Cooper', type: 'spouse', is_from: true }],
};
const EMPTY_PAGE = { items: [], next_cursor: null, previous_cursor: null };
const ANSWERS = {
  'GET /api/v1/customers/42/timeline?conversations=true&limit=10': () => [200, EMPTY_PAGE] as const,
  'POST /api/v1/customers/check': () => [200, []] as const,
  'POST /api/v1/customers?on_duplicate=block': () => [201, { id: '43', display_name: 'Klara Vogt' }] as const,
};
const JANE_CALLS = aContact({ customer: { state: 'one', customer_ids: ['42'], name: 'Jane Cooper', level: null } });

async function aDesk(
  contact = JANE_CALLS,
  agent = anAgent({ state: 'offered', contact_id: 'c1' }),
  card: unknown = JANE,
) {
  const server = new FakeServer({ ...ANSWERS, 'GET /api/v1/customers/42/card': () => [200, card] as const });
  render(<App />);
  await server.welcome(aFloor({ agents: [agent], contacts: contact.contact_id ? [contact] : [] }));
  return server;
}

const NOBODY = aContact({ contact_id: '' });
const pressShortcut = (code: string) => fireEvent.keyDown(window, { code, altKey: true, shiftKey: true });

describe('signing in', () => {
  it('says that login or password is wrong and keeps the fields', async () => {
    const server = new FakeServer({
      'POST /api/session': () => [401, { code: 'wrong-credentials', message: '' }] as const,
    });
    server.signedIn = false;
    render(<App />);
    await userEvent.type(await screen.findByTestId('login'), 'anna');
    await userEvent.type(screen.getByTestId('password'), 'wrong');
    await userEvent.click(screen.getByTestId('sign-in'));
    await waitFor(() => expect(screen.getByRole('alert').textContent).toBe('Login or password is wrong.'));
    expect(screen.getByTestId<HTMLInputElement>('login').value).toBe('anna');
    expect(server.requests.at(-1)?.body).toEqual({ login: 'anna', password: 'wrong' });
  });

  it('has fields that password managers know', async () => {
    new FakeServer().signedIn = false;
    render(<App />);
    expect((await screen.findByTestId('login')).getAttribute('autocomplete')).toBe('username');
    expect(screen.getByTestId('password').getAttribute('autocomplete')).toBe('current-password');
  });
});

describe('a number that is dialled in quiet hours', () => {
  const ASKED = '/api/v1/contactability?value=%2B15551234&channel=voice&purpose=by_hand';
  const NIGHT = {
    is_allowed: false,
    reasons: ['quiet-hours'],
    again_at: null,
    local_times: ['2026-03-02T23:30:00+08:00'],
  };

  async function dialled(refusal: string) {
    const server = new FakeServer({ ...ANSWERS, [`GET ${ASKED}`]: () => [200, NIGHT] as const });
    render(<App />);
    await server.welcome(aFloor({ agents: [anAgent({ state: 'not_ready' })], contacts: [] }));
    await userEvent.type(await screen.findByTestId('target'), '+15551234');
    await userEvent.click(screen.getByTestId('dial'));
    server.answerIntent(refusal);
    expect((await screen.findByTestId('quiet-why')).textContent).toContain('It is 23:30 where the customer is');
    return server;
  }

  it('is called all the same by who says why, with the order that was given', async () => {
    const server = await dialled('quiet-hours');
    await userEvent.type(screen.getByTestId('quiet-reason'), 'she asked me to');
    await userEvent.click(screen.getByTestId('call-all-the-same'));
    const about = { type: 'intent', target: '+15551234' };
    expect(server.intents().at(-1)).toEqual({
      ...about,
      intent: 'call.override_hours',
      reason: 'she asked me to',
    });
    server.answerIntent();
    expect(server.intents().at(-1)).toEqual({ ...about, intent: 'call.dial', target_kind: 'number' });
  });

  it('is not called by who may not answer for it', async () => {
    await dialled('quiet-hours-firm');
    expect(screen.queryByTestId('call-all-the-same')).toBeNull();
  });
});

describe('an offer', () => {
  it('shows who calls and what happened last, before it is answered, and is said aloud', async () => {
    await aDesk();
    const card = await screen.findByTestId('ring-card');
    expect(within(card).getByTestId('ring-caller').textContent).toContain('Jane Cooper');
    const recent = await within(card).findByTestId('recent-interactions');
    expect(recent.textContent).toContain('Charged twice.');
    expect(screen.getByTestId('repeat-caller').textContent).toContain('3 contacts in 7 days');
    expect(screen.getByRole('alert').textContent).toBe(
      'Incoming call from Jane Cooper, queue Billing. Answer on your phone.',
    );
    await waitFor(() => expect(document.title).toBe('Incoming: Jane Cooper'));
    expect(within(card).getByTestId('level-badge').textContent).toBe('Key account');
    expect(within(card).getByTestId('card-preferences').textContent).toContain('Service SMS · 中文');
    expect(within(card).getByTestId('card-promises').textContent).toContain('Overdue Send the refund');
    expect(within(card).getByTestId('card-related').textContent).toContain('Spouse of Tom Cooper');
  });

  it('is shown and can be declined though what the store says of the customer makes no sense', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const server = await aDesk(JANE_CALLS, undefined, { ...JANE, last_interactions: null });
    const card = await screen.findByTestId('ring-card');
    expect(await within(card).findByText('This could not be loaded.')).toBeTruthy();
    await userEvent.click(within(card).getByTestId('decline'));
    expect(server.intents()).toEqual([{ type: 'intent', intent: 'offer.decline', contact_id: 'c1' }]);
  });

  it('is declined by the server and not by the button', async () => {
    const server = await aDesk();
    await userEvent.click(await screen.findByTestId('decline'));
    expect(server.intents()).toEqual([{ type: 'intent', intent: 'offer.decline', contact_id: 'c1' }]);
    expect(screen.getByTestId('ring-card')).toBeTruthy();
    expect(screen.getByTestId('decline').getAttribute('data-loading')).toBe('true');
    server.say({ ...server.next(), type: 'contact.removed', contact_id: 'c1' });
    server.say({ ...server.next(), type: 'agent.changed', agent: anAgent({ state: 'not_ready', reason: 'declined' }) });
    expect(screen.queryByTestId('ring-card')).toBeNull();
    expect(screen.getByTestId('agent-state').dataset.state).toBe('not_ready');
  });

  it('of somebody unknown lets the agent enter a customer, with the number filled in', async () => {
    const server = await aDesk(aContact({ caller_name: 'Klara Vogt' }));
    expect((await screen.findByTestId<HTMLInputElement>('new-customer-number')).value).toBe('+442079460991');
    await userEvent.click(screen.getByTestId('save-customer'));
    await waitFor(() =>
      expect(server.intents()).toEqual([
        { type: 'intent', intent: 'contact.identify', contact_id: 'c1', customer_id: '43' },
      ]),
    );
    expect(server.requests.at(-1)?.body).toEqual({
      display_name: 'Klara Vogt',
      kind: 'person',
      preferred_language: 'en',
      contact_points: [{ kind: 'phone', value: '+442079460991' }],
    });
  });

  it('that was missed is told over the full width, with one key back to ready', async () => {
    const server = await aDesk(NOBODY, anAgent({ state: 'not_ready', reason: 'no_answer' }));
    expect(await screen.findByTestId('missed-offer')).toBeTruthy();
    expect(screen.getByRole('alert').textContent).toContain('You missed a call');
    pressShortcut('KeyR');
    expect(server.intents()).toEqual([{ type: 'intent', intent: 'agent.ready' }]);
  });
});

describe('a call and its wrap-up', () => {
  const talking = { ...JANE_CALLS, state: 'connected' as const, connected_at: NOON };
  const ended = { ...talking, state: 'wrap_up' as const, ended_at: NOON, wrap_up_until: NOON + 30_000 };
  const busy = anAgent({ state: 'busy', contact_id: 'c1' });

  it('is hung up by the keyboard', async () => {
    const server = await aDesk(talking, busy);
    await screen.findByTestId('call-card');
    pressShortcut('KeyE');
    expect(server.intents()).toEqual([{ type: 'intent', intent: 'contact.hang_up', contact_id: 'c1' }]);
  });

  it('is held and resumed with one key, when the server says so', async () => {
    const server = await aDesk(talking, busy);
    await screen.findByTestId('call-controls');
    pressShortcut('KeyH');
    expect(server.intents()).toEqual([{ type: 'intent', intent: 'contact.hold', contact_id: 'c1' }]);
    expect(screen.queryByTestId('on-hold')).toBeNull();
    server.say({ ...server.next(), type: 'contact.changed', contact: { ...talking, held_since: NOON } });
    expect(screen.getByTestId('on-hold').textContent).toContain('The customer is on hold');
    pressShortcut('KeyH');
    expect(server.intents().at(-1)).toEqual({ type: 'intent', intent: 'contact.resume', contact_id: 'c1' });
  });

  it('is handed to a colleague after asking, by the keyboard alone', async () => {
    const server = await aDesk(talking, busy);
    await screen.findByTestId('call-controls');
    pressShortcut('KeyT');
    expect(document.activeElement).toBe(screen.getByTestId('target-kind'));
    await userEvent.selectOptions(screen.getByTestId('target-kind'), 'agent');
    expect(within(screen.getByTestId('target')).queryByText('Anna')).toBeNull();
    await userEvent.selectOptions(screen.getByTestId('target'), 'boris');
    await userEvent.click(screen.getByTestId('consult-start'));
    const told = { type: 'intent', intent: 'contact.consult', contact_id: 'c1', target_kind: 'agent', target: 'boris' };
    expect(server.intents()).toEqual([told]);
    const consulting = {
      ...talking,
      held_since: NOON,
      consult_id: 'c2',
      consult_kind: 'consult' as const,
      consult_state: 'talking' as const,
      consult_target_kind: 'agent' as const,
      consult_target: 'boris',
    };
    server.say({ ...server.next(), type: 'contact.changed', contact: consulting });
    expect(screen.getByTestId('consult').textContent).toContain('Talking with Boris; the customer is on hold');
    expect(screen.queryByTestId('transfer')).toBeNull();
    pressShortcut('KeyC');
    expect(server.intents().at(-1)).toEqual({ type: 'intent', intent: 'consult.complete', contact_id: 'c1' });
  });

  it('sends the digits that are pasted into the keypad, and keeps none', async () => {
    const server = await aDesk(talking, busy);
    await screen.findByTestId('call-controls');
    pressShortcut('KeyN');
    await userEvent.click(screen.getByTestId('digits'));
    await userEvent.paste('41 23-#');
    await userEvent.click(screen.getByTestId('send-digits'));
    const told = { type: 'intent', intent: 'contact.send_digits', contact_id: 'c1', digits: '4123#' };
    expect(server.intents()).toEqual([told]);
    expect(screen.getByTestId<HTMLInputElement>('digits').value).toBe('');
    expect(JSON.stringify(localStorage)).not.toContain('4123');
  });

  it('is begun from the dial box, and taken up from a park slot', async () => {
    const parked = aContact({ contact_id: 'c9', state: 'parked', agent_id: null, park_slot: '71', parked_by: 'anna' });
    const server = await aDesk(parked, anAgent({ state: 'not_ready' }));
    await userEvent.type(await screen.findByTestId('target'), '+44 20 7946 0000');
    await userEvent.click(screen.getByTestId('dial'));
    await userEvent.click(screen.getByTestId('retrieve'));
    expect(server.intents()).toEqual([
      { type: 'intent', intent: 'call.dial', target_kind: 'number', target: '+44 20 7946 0000' },
      { type: 'intent', intent: 'park.retrieve', slot: '71' },
    ]);
  });

  it('gets more time for its wrap-up when it is asked for', async () => {
    const server = await aDesk(ended, anAgent({ state: 'wrap_up', contact_id: 'c1' }));
    await screen.findByTestId('extend-wrap-up');
    pressShortcut('KeyL');
    expect(server.intents()).toEqual([{ type: 'intent', intent: 'wrap_up.extend', contact_id: 'c1' }]);
  });

  it('says how it ends: not before the time is up, and with which outcome then', async () => {
    await aDesk(ended, anAgent({ state: 'wrap_up', contact_id: 'c1' }));
    const said = (await screen.findByTestId('how-it-ends')).textContent;
    expect(said).toContain('not before, even if you finish early');
    expect(said).toContain('“Solved” is recorded');
  });

  it.each(['voice', 'message'])(
    'offers no more time where the queue has none, and says nothing it does not know: %s',
    async (channel) => {
      const queue_id = channel === 'voice' ? 'short' : 'billing';
      await aDesk({ ...ended, channel, queue_id } as typeof ended, anAgent({ state: 'wrap_up', contact_id: 'c1' }));
      await screen.findByTestId('finish-wrap-up');
      expect(screen.queryByTestId('how-it-ends')).toBeNull();
      expect(screen.queryByTestId('extend-wrap-up') === null).toBe(channel === 'voice');
    },
  );

  it('carries the notes on, asks for an outcome and sends both', async () => {
    const server = await aDesk(talking, busy);
    await userEvent.type(await screen.findByTestId('call-notes'), 'Refund promised');
    server.say({ ...server.next(), type: 'contact.changed', contact: ended });
    expect((await screen.findByTestId<HTMLTextAreaElement>('notes')).value).toBe('Refund promised');
    pressShortcut('KeyW');
    expect(document.activeElement).toBe(screen.getByTestId('disposition'));
    expect(server.intents()).toEqual([]);
    await userEvent.selectOptions(screen.getByTestId('disposition'), 'solved');
    pressShortcut('KeyW');
    expect(server.intents()).toEqual([
      { type: 'intent', intent: 'wrap_up.finish', contact_id: 'c1', disposition: 'solved', notes: 'Refund promised' },
    ]);
    server.say({ ...server.next(), type: 'contact.removed', contact_id: 'c1' });
    server.say({ ...server.next(), type: 'agent.changed', agent: anAgent() });
    expect(screen.getByTestId('idle-desk')).toBeTruthy();
    expect(screen.queryByTestId('left-over-notes')).toBeNull();
    server.answerIntent();
    expect(screen.queryByTestId('left-over-notes')).toBeNull();
    expect(localStorage.getItem('console.drafts.user-anna')).toBeNull();
  });

  it('that was sent too late and refused leaves the notes to the agent', async () => {
    const server = await aDesk(ended, anAgent({ state: 'wrap_up', contact_id: 'c1' }));
    await userEvent.type(await screen.findByTestId('notes'), 'Refund promised');
    await userEvent.selectOptions(screen.getByTestId('disposition'), 'solved');
    await userEvent.click(screen.getByTestId('finish-wrap-up'));
    server.say({ ...server.next(), type: 'contact.removed', contact_id: 'c1' });
    server.say({ ...server.next(), type: 'agent.changed', agent: anAgent() });
    server.answerIntent('contact-not-in-wrap-up');
    expect((await screen.findByTestId('left-over-notes')).textContent).toContain('Refund promised');
  });

  it('that ran out of time leaves the notes to the agent', async () => {
    const server = await aDesk(ended, anAgent({ state: 'wrap_up', contact_id: 'c1' }));
    await userEvent.type(await screen.findByTestId('notes'), 'Refund promised');
    server.say({ ...server.next(), type: 'contact.removed', contact_id: 'c1' });
    server.say({ ...server.next(), type: 'agent.changed', agent: anAgent() });
    expect((await screen.findByTestId('left-over-notes')).textContent).toContain('Refund promised');
  });
});

describe('the state of the agent', () => {
  it('changes when the server says so', async () => {
    const server = await aDesk(NOBODY, anAgent({ state: 'not_ready', reason: 'signed_in' }));
    await userEvent.click(await screen.findByTestId('go-ready'));
    expect(screen.getByTestId('agent-state').dataset.state).toBe('not_ready');
    server.say({ ...server.next(), type: 'agent.changed', agent: anAgent() });
    expect(screen.getByTestId('agent-state').dataset.state).toBe('ready');
    expect(screen.getByRole('status').textContent).toBe('You are now: Ready');
  });

  it('that is refused says why', async () => {
    const server = await aDesk(NOBODY, anAgent({ state: 'not_ready' }));
    await userEvent.click(await screen.findByTestId('go-ready'));
    server.answerIntent('phone-not-registered');
    expect(screen.getByTestId('refusal').textContent).toContain('Your phone is not registered');
    expect(screen.getByRole('alert').textContent).toContain('Your phone is not registered');
  });
});

describe('the page', () => {
  it('has exactly one polite and one assertive live region', async () => {
    await aDesk();
    await screen.findByTestId('ring-card');
    expect(screen.getAllByRole('alert')).toHaveLength(1);
    expect(screen.getAllByRole('status')).toHaveLength(1);
    expect(document.querySelectorAll('[aria-live]:not([aria-live=off])')).toHaveLength(0);
  });

  it('speaks the language chosen and says so to the browser', async () => {
    localStorage.setItem('console.language', 'zh');
    await aDesk(NOBODY, anAgent());
    expect((await screen.findByTestId('agent-state')).textContent).toContain('空闲');
    expect(document.documentElement.lang).toBe('zh-CN');
  });
});
