import { Button, Loader, MantineProvider } from '@mantine/core';
import { LocalisationProvider, useLocalisation } from './i18n/context';
import { LiveProvider } from './live/context';
import { SessionProvider, useSession } from './session/session';
import { SignInPage } from './session/sign-in-page';
import { AnnouncerProvider } from './shell/announcer';
import { Console } from './shell/console';
import shell from './shell/shell.module.css';
import { theme } from './theme';

function Gate() {
  const { t } = useLocalisation();
  const { state, retry, sessionEnded } = useSession();
  switch (state.kind) {
    case 'loading':
      return (
        <main className={shell.centre}>
          <Loader aria-label={t('loading')} />
        </main>
      );
    case 'unreachable':
      return (
        <main className={shell.centre}>
          <h1>{t('error.unreachable')}</h1>
          <Button onClick={retry}>{t('action.try_again')}</Button>
        </main>
      );
    case 'signed_out':
      return <SignInPage ended={state.ended} />;
    case 'signed_in':
      return (
        <LiveProvider agentId={state.person.agent_id} onSignedOut={sessionEnded}>
          <Console />
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
