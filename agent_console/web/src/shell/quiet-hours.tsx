import { Button, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { contactability } from '../api/record';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import { useConnection, useLive } from '../live/context';
import { isPending, type Refusal } from '../live/pending';
import { AGAINST, said } from '../record/words';
import classes from './shell.module.css';

/** What time it is where the customer is, and a way to call all the same for those who may answer for it. */
export default function QuietHours({ refusal }: { readonly refusal: Refusal }) {
  const { t, format } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const [reason, setReason] = useState('');
  const { asked } = refusal;
  const target = asked.target ?? '';
  const found = useFetched(`${refusal.intentId} ${target}`, () => contactability(target, 'voice', 'by_hand'));
  const times = [...new Set((found.value?.local_times ?? []).map((at) => at.slice(11, 16)))];
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    send('call.override_hours', { target, reason: reason.trim() }, () => {
      const { intent, ...fields } = asked;
      send(intent, { contact_id: fields.contact_id, target_kind: fields.target_kind, target });
    });
  };
  return (
    <>
      {found.value && (
        <span data-testid="quiet-why">
          {[
            times.length > 0 && t('quiet.local_time', { time: times.join(' – ') }),
            ...found.value.reasons.map((each) => said(AGAINST, each, t)),
            found.value.again_at && t('quiet.again', { at: format.dateTime(found.value.again_at) }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
      )}
      {refusal.code === 'quiet-hours' && (
        <form onSubmit={submit} className={classes.quiet}>
          <TextInput
            size="sm"
            aria-label={t('quiet.reason')}
            placeholder={t('quiet.reason')}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            maxLength={200}
            required
            data-testid="quiet-reason"
          />
          <Button
            type="submit"
            size="sm"
            disabled={reason.trim() === ''}
            loading={isPending(pending, 'call.override_hours')}
            data-testid="call-all-the-same"
          >
            {t('quiet.call')}
          </Button>
        </form>
      )}
    </>
  );
}
