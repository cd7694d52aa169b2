import { Button, Loader, MantineProvider } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { LocalisationProvider, useLocalisation } from './i18n/context';
import { LiveProvider } from './live/context';
import { SessionProvider, useSession } from './session/session';
import { AnnouncerProvider } from './shell/announcer';
import { Console } from './shell/console';
import shell from './shell/shell.module.css';
import { SoftphoneProvider } from './softphone/context';
import { theme } from './theme';

const SignInPage = lazy(() => import('./session/sign-in-page'));

function Starting() {
  const { t } = useLocalisation();
  return (
    <main className={shell.centre}>
      <Loader aria-label={t('loading')} />
    </main>
  );
}

function Gate() {
  const { t } = useLocalisation();
  const { state, retry, sessionEnded } = useSession();
  switch (state.kind) {
    case 'loading':
      return <Starting />;
    case 'unreachable':
      return (
        <main className={shell.centre}>
          <h1>{t('error.unreachable')}</h1>
          <Button onClick={retry}>{t('action.try_again')}</Button>
        </main>
      );
    case 'signed_out':
      return (
        <Suspense fallback={<Starting />}>
          <SignInPage ended={state.ended} />
        </Suspense>
      );
    case 'signed_in':
      return (
        <LiveProvider agentId={state.person.agent_id} onSignedOut={sessionEnded}>
          <SoftphoneProvider agentId={state.person.agent_id}>
            <Console />
          </SoftphoneProvider>
        </LiveProvider>
      );
  }
}

/** The whole application. */
export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <LocalisationProvider>
        <AnnouncerProvider>
          <SessionProvider>
            <Gate />
          </SessionProvider>
        </AnnouncerProvider>
      </LocalisationProvider>
    </MantineProvider>
  );
}
