import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { makeToken, revokeToken, SCOPES, tokens, type ApiToken, type MadeToken, type Scope } from '../api/tokens';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { Confirm } from '../record/confirm';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useAnnouncer } from '../shell/announcer';
import { PagesNav } from './pages-nav';
import classes from './stewardship.module.css';

const SCOPE_WORDS: Readonly<Record<Scope, Key>> = {
  read: 'tokens.scope_read',
  write: 'tokens.scope_write',
  import: 'tokens.scope_import',
};
const DAYS = ['30', '90', '365', '730'];

function Made({ made, onSeen }: { readonly made: MadeToken; readonly onSeen: () => void }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const copy = () => {
    void navigator.clipboard.writeText(made.token).then(() => announcer.status(t('tokens.copied')));
  };
  return (
    <div className={`${classes.notice} tone-attention`} role="group" aria-label={t('tokens.made', { name: made.name })}>
      <div>
        <strong>{t('tokens.made', { name: made.name })}</strong>
        <p className="wrap-anywhere">
          <code data-testid="made-token">{made.token}</code>
        </p>
        <p>{t('tokens.once')}</p>
      </div>
      <div className={classes.buttons}>
        {'clipboard' in navigator && (
          <Button variant="light" onClick={copy}>
            {t('tokens.copy')}
          </Button>
        )}
        <Button variant="default" onClick={onSeen} data-testid="token-seen">
          {t('action.close')}
        </Button>
      </div>
    </div>
  );
}

function NewToken({ onMade }: { readonly onMade: (made: MadeToken) => void }) {
  const { t, format } = useLocalisation();
  const action = useAction();
  const [name, setName] = useState('');
  const [days, setDays] = useState('365');
  const [scopes, setScopes] = useState<readonly Scope[]>(['read']);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void action.run(async () => {
      onMade(await makeToken(name.trim(), scopes, Number(days)));
      setName('');
    });
  };
  const toggle = (scope: Scope, on: boolean) =>
    setScopes((before) => (on ? [...before, scope] : before.filter((each) => each !== scope)));
  return (
    <form onSubmit={submit} className={classes.stack} data-testid="token-form">
      <div className={classes.filter}>
        <TextInput
          label={t('tokens.name')}
          description={t('tokens.name_hint')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          pattern="[a-z0-9][a-z0-9.\-]{0,31}"
          maxLength={32}
          required
          data-testid="token-name"
        />
        <NativeSelect
          label={t('tokens.lives')}
          value={days}
          data={DAYS.map((each) => ({ value: each, label: t('tokens.days', { days: format.number(Number(each)) }) }))}
          onChange={(event) => setDays(event.currentTarget.value)}
        />
      </div>
      <fieldset className={classes.mapping}>
        <legend>{t('tokens.scopes')}</legend>
        {SCOPES.map((scope) => (
          <Checkbox
            key={scope}
            label={t(SCOPE_WORDS[scope])}
            checked={scopes.includes(scope)}
            onChange={(event) => toggle(scope, event.currentTarget.checked)}
            data-testid={`scope-${scope}`}
          />
        ))}
      </fieldset>
      <Problem text={action.problem} />
      <div>
        <Button type="submit" loading={action.busy} disabled={scopes.length === 0} data-testid="make-token">
          {t('tokens.make')}
        </Button>
      </div>
    </form>
  );
}

function State({ token }: { readonly token: ApiToken }) {
  const { t, format } = useLocalisation();
  const [openedAt] = useState(Date.now);
  if (token.revoked_at !== null) {
    return (
      <span className="pill tone-quiet">
        <Icon name="close" size={16} /> {t('tokens.revoked', { who: token.revoked_by ?? '' })}
      </span>
    );
  }
  if (Date.parse(token.expires_at) <= openedAt) return <span className="pill tone-quiet">{t('tokens.expired')}</span>;
  return (
    <span className="pill tone-good">
      <Icon name="check" size={16} /> {t('tokens.until', { day: format.day(token.expires_at) })}
    </span>
  );
}

/** Tokens by which programs come in: made here, told once, revoked here. */
export default function TokensPage() {
  const { t, format } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [made, setMade] = useState<MadeToken | null>(null);
  const [asked, setAsked] = useState<ApiToken | null>(null);
  const list = useFetched('tokens', tokens);
  const revoke = (token: ApiToken) =>
    action.run(async () => {
      await revokeToken(token.id);
      announcer.status(t('tokens.revoked_now', { name: token.name }));
      list.reload();
    });
  return (
    <>
      <PagesNav current="tokens" />
      <section className={`panel ${classes.stack}`} aria-label={t('tokens.title')}>
        <h1>{t('tokens.title')}</h1>
        <p className="soft">{t('tokens.about')}</p>
        {made && <Made made={made} onSeen={() => setMade(null)} />}
        <NewToken
          onMade={(token) => {
            setMade(token);
            announcer.status(t('tokens.made', { name: token.name }));
            list.reload();
          }}
        />
        <Problem text={action.problem} />
        {list.error && <LoadProblem onRetry={list.reload} />}
        <div className={classes.scroll}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">{t('tokens.name')}</th>
                <th scope="col">{t('tokens.scopes')}</th>
                <th scope="col">{t('tokens.state')}</th>
                <th scope="col">{t('tokens.last_used')}</th>
                <th scope="col">{t('tokens.made_by')}</th>
                <th scope="col">
                  <span className="visually-hidden">{t('tokens.revoke')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {(list.value ?? []).map((token) => (
                <tr key={token.id} data-testid="token-row">
                  <td>
                    <strong>{token.name}</strong> <span className="soft">{token.hint}…</span>
                  </td>
                  <td>{format.list(token.scopes.map((scope) => t(SCOPE_WORDS[scope])))}</td>
                  <td>
                    <State token={token} />
                  </td>
                  <td>{token.last_used_at === null ? t('tokens.never') : format.dateTime(token.last_used_at)}</td>
                  <td>
                    {token.created_by}, {format.day(token.created_at)}
                  </td>
                  <td>
                    {token.revoked_at === null && (
                      <Button
                        size="compact-sm"
                        variant="subtle"
                        color="red.9"
                        onClick={() => setAsked(token)}
                        aria-label={t('tokens.revoke_named', { name: token.name })}
                        data-testid="revoke-token"
                      >
                        {t('tokens.revoke')}
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {list.value?.length === 0 && <p className="soft">{t('tokens.none')}</p>}
      </section>
      {asked && (
        <Confirm
          title={t('tokens.revoke_named', { name: asked.name })}
          text={t('tokens.revoke_text')}
          action={t('tokens.revoke')}
          onConfirm={() => void revoke(asked)}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}
