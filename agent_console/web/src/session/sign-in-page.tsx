import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { ApiError } from '../api/http';
import { useTitle } from '../alerting/use-ringing';
import { useLocalisation } from '../i18n/context';
import type { Translate } from '../i18n/translate';
import { Icon } from '../icons';
import { useAnnouncer } from '../shell/announcer';
import { AppearanceButtons } from '../shell/appearance';
import { useSession } from './session';
import classes from './sign-in-page.module.css';

function reasonOf(error: unknown, t: Translate): string {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 401) return t('sign_in.wrong');
  if (error.status === 429) return t.count('sign_in.slow_down', error.retryAfter ?? 30);
  return t('error.unreachable');
}

/** Where work begins. Field names and autocomplete hints are those that password managers look for. */
export default function SignInPage({ ended }: { readonly ended: boolean }) {
  const { t } = useLocalisation();
  const { signIn } = useSession();
  const announcer = useAnnouncer();
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useTitle(t('app.name'), null);
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const field = (name: string) => {
      const value = form.get(name);
      return typeof value === 'string' ? value : '';
    };
    setBusy(true);
    setError(null);
    try {
      await signIn(field('username').trim(), field('password'));
    } catch (refused) {
      const text = reasonOf(refused, t);
      setError(text);
      announcer.alert(text);
      setBusy(false);
    }
  };
  return (
    <div className={classes.page}>
      <div className={classes.corner}>
        <AppearanceButtons />
      </div>
      <main className={classes.card}>
        <img src="/icon.svg" alt="" width={44} height={44} />
        <h1 className={classes.title}>{t('sign_in.title')}</h1>
        <p className={classes.lead}>{ended ? t('sign_in.ended') : t('sign_in.lead')}</p>
        <form method="post" onSubmit={(event) => void submit(event)} className={classes.form}>
          <TextInput
            name="username"
            label={t('sign_in.login')}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            size="md"
            required
            withAsterisk={false}
            data-testid="login"
          />
          <PasswordInput
            name="password"
            label={t('sign_in.password')}
            autoComplete="current-password"
            size="md"
            required
            withAsterisk={false}
            visibilityToggleButtonProps={{
              'aria-label': t('sign_in.show_password'),
              tabIndex: 0,
              style: { minWidth: 32, minHeight: 32 },
            }}
            data-testid="password"
          />
          {error && (
            <p className={`${classes.error} tone-bad`} data-testid="sign-in-error">
              <Icon name="warning" /> {error}
            </p>
          )}
          <Button type="submit" size="md" fullWidth loading={busy} data-testid="sign-in">
            {t('sign_in.submit')}
          </Button>
        </form>
      </main>
    </div>
  );
}
