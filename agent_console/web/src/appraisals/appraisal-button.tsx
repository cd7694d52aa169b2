import { Button } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import type { InteractionLine } from '../api/customers';
import { useLocalisation } from '../i18n/context';
import { useSignedIn } from '../session/session';

const AppraisalDialog = lazy(() => import('./appraisal-dialog'));

/** Opens what was said of a conversation, for those who lead agents and for whose it was. */
export function AppraisalButton({ line }: { readonly line: InteractionLine }) {
  const { t, format } = useLocalisation();
  const { person } = useSignedIn();
  const [opened, setOpened] = useState(false);
  if (!line.agent_name || !(person.sees_floor || person.name === line.agent_name)) return null;
  return (
    <>
      <Button
        size="compact-sm"
        variant="subtle"
        onClick={() => setOpened(true)}
        aria-label={t('appraisal.open_named', { name: line.agent_name, time: format.dateTime(line.started_at) })}
        data-testid="open-appraisal"
      >
        {t('appraisal.open')}
      </Button>
      {opened && (
        <Suspense>
          <AppraisalDialog contactId={line.contact_id} onClose={() => setOpened(false)} />
        </Suspense>
      )}
    </>
  );
}
