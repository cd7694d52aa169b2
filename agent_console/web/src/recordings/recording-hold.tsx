import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Recording } from '../api/customers';
import { holdRecording, liftFromRecording } from '../api/privacy';
import { useLocalisation } from '../i18n/context';
import { Confirm } from '../record/confirm';
import { HoldForm } from '../record/legal-hold';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useAnnouncer } from '../shell/announcer';

/** Keeps one recording whatever its class says, or lets its class decide again. */
export default function RecordingHold({ recording }: { readonly recording: Recording }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [held, setHeld] = useState(recording.legal_hold);
  const [asking, setAsking] = useState(false);
  const { contact_id, recording_id } = recording;
  const lift = () =>
    action.run(async () => {
      await liftFromRecording(contact_id, recording_id);
      announcer.status(t('hold.lifted_now'));
      setHeld(false);
    });
  if (asking && !held) {
    const done = () => {
      setHeld(true);
      setAsking(false);
    };
    return <HoldForm onHold={(reason) => holdRecording(contact_id, recording_id, reason)} onDone={done} />;
  }
  return (
    <>
      <Button
        size="compact-sm"
        variant="subtle"
        onClick={() => setAsking(true)}
        loading={action.busy}
        data-testid="recording-hold"
      >
        {held ? t('hold.lift') : t('hold.set')}
      </Button>
      <Problem text={action.problem} />
      {asking && held && (
        <Confirm
          title={t('hold.lift')}
          text={t('hold.lift_text')}
          action={t('hold.lift')}
          onConfirm={() => void lift()}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
