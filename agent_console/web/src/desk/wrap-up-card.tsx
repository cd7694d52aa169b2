import { Button, NativeSelect } from '@mantine/core';
import { useRef, useState, type SubmitEvent } from 'react';
import { PromiseCallback } from '../callbacks/promise-callback';
import { Elapsed } from '../clock';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { useSignedIn } from '../session/session';
import type { ContactView, WrapUpRule } from '../wire';
import { CardAnswer } from '../recordings/card-entry';
import { CallerBlock, CardHead, ContactFacts } from './caller-block';
import { useDraft } from './drafts-context';
import { NotesField } from './notes-field';
import { Countdown } from './ring-card';
import { keysOf, useShortcuts } from './shortcuts';
import classes from './desk.module.css';

/** How the wrap-up after a call of this queue ends; nothing is known of other channels and of calls of no queue. */
function useWrapUpRule({ channel, queue_id }: ContactView): WrapUpRule | undefined {
  const { settings } = useSignedIn();
  return channel === 'voice' ? settings.wrap_up.find((rule) => rule.queue_id === queue_id) : undefined;
}

/** Said beforehand: whether the clock ends it, whether finishing early makes ready early, and which outcome the clock records. */
function HowItEnds({ rule }: { readonly rule: WrapUpRule }) {
  const { t, language } = useLocalisation();
  const { settings } = useSignedIn();
  const labels = settings.dispositions.find(({ code }) => code === rule.timeout_code)?.labels;
  const outcome = labels?.[language] ?? labels?.en ?? rule.timeout_code;
  const forces = outcome !== '' && (rule.mode === 'timed' || rule.mode === 'timed_no_early_exit');
  const said = [
    rule.mode === 'mandatory' && t('wrap_up.mandatory'),
    rule.mode === 'timed_no_early_exit' && t('wrap_up.no_early_exit'),
    forces && t('wrap_up.forced', { outcome }),
  ].filter(Boolean);
  if (said.length === 0) return null;
  return (
    <p className="soft" data-testid="how-it-ends">
      {said.join(' ')}
    </p>
  );
}

/** The work after the call: its outcome, what was said, and back to the queue. */
export function WrapUpCard({ contact }: { readonly contact: ContactView }) {
  const { t, language } = useLocalisation();
  const { settings } = useSignedIn();
  const { send } = useConnection();
  const { pending } = useLive();
  const [draft, changeDraft, discardDraft] = useDraft(contact);
  const [asked, setAsked] = useState(false);
  const select = useRef<HTMLSelectElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const missing = asked && !draft.disposition;
  const finish = (event: SubmitEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!draft.disposition) {
      select.current?.focus();
      return;
    }
    send('wrap_up.finish', { contact_id: contact.contact_id, ...draft }, discardDraft);
  };
  const { ended_at, wrap_up_until } = contact;
  const rule = useWrapUpRule(contact);
  const mayExtend = wrap_up_until !== null && rule?.may_extend !== false;
  const about = { contact_id: contact.contact_id };
  const isItem = contact.channel !== 'voice';
  useShortcuts({
    finishWrapUp: () => form.current?.requestSubmit(),
    ...(mayExtend && { extendWrapUp: () => send('wrap_up.extend', about) }),
  });
  return (
    <article className={`panel ${classes.card} tone-after`}>
      <CardHead tone="tone-after" icon="pencil" title={t(isItem ? 'contact_state.item_wrap_up' : 'wrap_up.title')}>
        {wrap_up_until === null && ended_at !== null && <Elapsed since={ended_at} />}
      </CardHead>
      {ended_at !== null && wrap_up_until !== null && <Countdown from={ended_at} until={wrap_up_until} />}
      {rule !== undefined && <HowItEnds rule={rule} />}
      <CallerBlock contact={contact} testId="wrap-up-caller" />
      <CardAnswer contact={contact} />
      <ContactFacts contact={contact} />
      <form ref={form} onSubmit={finish} noValidate className={classes.form}>
        <NativeSelect
          ref={select}
          label={t('wrap_up.disposition')}
          required
          size="md"
          value={draft.disposition}
          onChange={(event) => changeDraft({ disposition: event.currentTarget.value })}
          error={missing ? t('wrap_up.disposition_missing') : undefined}
          data={[
            { value: '', label: t('wrap_up.choose') },
            ...settings.dispositions.map(({ code, labels }) => ({
              value: code,
              label: labels[language] ?? labels.en ?? code,
            })),
          ]}
          data-testid="disposition"
        />
        <NotesField notes={draft.notes} onChange={changeDraft} testId="notes" />
        <div className={classes.actions}>
          <Button
            type="submit"
            size="md"
            leftSection={<Icon name="check" />}
            loading={isPending(pending, 'wrap_up.finish', contact.contact_id)}
            title={keysOf('finishWrapUp')}
            data-testid="finish-wrap-up"
          >
            {t(isItem ? 'item.finish_wrap_up' : 'wrap_up.finish')}
          </Button>
          {mayExtend && (
            <Button
              variant="default"
              size="md"
              loading={isPending(pending, 'wrap_up.extend')}
              onClick={() => send('wrap_up.extend', about)}
              title={keysOf('extendWrapUp')}
              data-testid="extend-wrap-up"
            >
              {t('wrap_up.extend')}
            </Button>
          )}
          <PromiseCallback contact={contact} />
        </div>
      </form>
    </article>
  );
}
