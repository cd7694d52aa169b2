import { Button, NativeSelect, PasswordInput, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { checkCustomer, createCustomer, type CustomerSummary, type NewCustomer, type Suspect } from '../api/customers';
import { ApiError } from '../api/http';
import { useLocalisation } from '../i18n/context';
import { LANGUAGES, supported, type Key, type Language } from '../i18n/translate';
import { Icon } from '../icons';
import { useAnnouncer } from '../shell/announcer';
import { addressOf } from '../shell/route';
import classes from './customers.module.css';

const SIGNALS: Readonly<Partial<Record<string, Key>>> = {
  name: 'collision.name',
  phone: 'collision.phone',
  email: 'collision.email',
  id_card: 'provider.id_card',
};

interface CollisionsProps {
  readonly suspects: readonly Suspect[];
  readonly busy: boolean;
  /** It is somebody who is there: the numbers are given to them. */
  readonly onLink: () => void;
  readonly onEnter: () => void;
  readonly onBack: () => void;
}

/** Who seems to be there already: who they are, who looks after them, what they have in common. */
function Collisions({ suspects, busy, onLink, onEnter, onBack }: CollisionsProps) {
  const { t } = useLocalisation();
  const strong = suspects.filter((each) => each.is_strong);
  // Two people never have one identity card: it is somebody who is there, or the number is wrong.
  const isCertain = suspects.some((each) => each.signals.includes('id_card'));
  return (
    <div className={`${classes.collisions} tone-attention`} data-testid="collisions">
      <h3>
        <Icon name="warning" /> {strong.length > 0 ? t('collision.title') : t('collision.maybe')}
      </h3>
      <ul className={classes.plain}>
        {suspects.map((suspect) => (
          <li key={suspect.customer_id} data-testid="collision">
            <a href={addressOf({ page: 'customer', customerId: suspect.customer_id })}>{suspect.display_name}</a>{' '}
            <span className="soft">
              {suspect.owner_id === null ? t('collision.no_owner') : t('collision.owner', { owner: suspect.owner_id })}{' '}
              ·{' '}
              {t('collision.same', {
                what: suspect.signals.map((word) => (SIGNALS[word] ? t(SIGNALS[word]) : word)).join(', '),
              })}
            </span>
          </li>
        ))}
      </ul>
      <div className={classes.buttons}>
        {strong.length === 1 && (
          <Button loading={busy} onClick={onLink} data-testid="collision-link">
            {t('collision.link', { name: strong[0]?.display_name ?? '' })}
          </Button>
        )}
        {!isCertain && (
          <Button variant="default" loading={busy} onClick={onEnter} data-testid="collision-enter">
            {t('collision.enter')}
          </Button>
        )}
        <Button variant="subtle" onClick={onBack}>
          {t('action.back')}
        </Button>
      </div>
    </div>
  );
}

interface NewCustomerFormProps {
  readonly name: string;
  readonly number: string;
  readonly speaks: Language;
  /** With e-mail, kind and identity card; without them while somebody is on the line. */
  readonly inFull?: boolean;
  readonly busy?: boolean;
  readonly onEntered: (customer: CustomerSummary) => void;
  readonly onCancel?: (() => void) | undefined;
}

/** Entering a customer. Who seems to be there already is shown before anything is written. */
export function NewCustomerForm({ inFull = false, busy = false, onEntered, onCancel, ...given }: NewCustomerFormProps) {
  const { t, language } = useLocalisation();
  const announcer = useAnnouncer();
  const [kind, setKind] = useState<'person' | 'org'>('person');
  const [name, setName] = useState(given.name);
  const [number, setNumber] = useState(given.number);
  const [email, setEmail] = useState('');
  const [card, setCard] = useState('');
  const [speaks, setSpeaks] = useState<Language>(given.speaks);
  const [problem, setProblem] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const [suspects, setSuspects] = useState<readonly Suspect[]>([]);
  const points = [
    { kind: 'phone' as const, value: number.trim() },
    { kind: 'email' as const, value: email.trim() },
  ].filter(({ value }) => value !== '');
  const customer: NewCustomer = {
    display_name: name.trim(),
    kind,
    preferred_language: speaks,
    contact_points: points,
    ...(card.trim() === '' ? {} : { identities: [{ provider: 'id_card', external_id: card.trim() }] }),
  };
  const attempt = async (work: () => Promise<void>) => {
    setSaving(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      const text = error instanceof ApiError && error.status === 422 ? t('create.unusable') : t('error.save');
      setProblem(text);
      announcer.alert(text);
    } finally {
      setSaving(false);
    }
  };
  const enter = (onDuplicate: 'warn' | 'block' | 'link') =>
    attempt(async () => onEntered(await createCustomer(customer, onDuplicate)));
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    void attempt(async () => {
      const found = await checkCustomer(customer);
      if (found.length === 0) {
        onEntered(await createCustomer(customer, 'block'));
        return;
      }
      setSuspects(found);
      announcer.alert(t('collision.title'));
    });
  };
  if (suspects.length > 0) {
    return (
      <>
        <Collisions
          suspects={suspects}
          busy={saving || busy}
          onLink={() => void enter('link')}
          onEnter={() => void enter('warn')}
          onBack={() => setSuspects([])}
        />
        {problem && <p className={`${classes.problem} tone-bad`}>{problem}</p>}
      </>
    );
  }
  return (
    <form onSubmit={save} className={classes.createForm}>
      {inFull && (
        <NativeSelect
          label={t('create.kind')}
          value={kind}
          onChange={(event) => setKind(event.currentTarget.value === 'org' ? 'org' : 'person')}
          data={[
            { value: 'person', label: t('kind.person') },
            { value: 'org', label: t('kind.org') },
          ]}
        />
      )}
      <TextInput
        label={t('create.name')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        required
        maxLength={200}
        autoComplete="off"
        data-testid="new-customer-name"
      />
      <TextInput
        label={t('create.number')}
        value={number}
        onChange={(event) => setNumber(event.currentTarget.value)}
        type="tel"
        maxLength={254}
        autoComplete="off"
        data-testid="new-customer-number"
      />
      {inFull && (
        <TextInput
          label={t('create.email')}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          type="email"
          maxLength={254}
          autoComplete="off"
          data-testid="new-customer-email"
        />
      )}
      {inFull && (
        <PasswordInput
          label={t('provider.id_card')}
          value={card}
          onChange={(event) => setCard(event.currentTarget.value)}
          maxLength={64}
          autoComplete="off"
          visibilityToggleButtonProps={{ 'aria-label': t('create.show_card') }}
          data-testid="new-customer-card"
        />
      )}
      <NativeSelect
        label={t('create.language')}
        value={speaks}
        onChange={(event) => setSpeaks(supported(event.currentTarget.value) ?? language)}
        data={(Object.keys(LANGUAGES) as Language[]).map((code) => ({ value: code, label: LANGUAGES[code].name }))}
      />
      {problem && <p className={`${classes.problem} tone-bad`}>{problem}</p>}
      <div className={classes.buttons}>
        <Button type="submit" disabled={name.trim() === ''} loading={saving || busy} data-testid="save-customer">
          {t('create.save')}
        </Button>
        {onCancel && (
          <Button variant="default" onClick={onCancel}>
            {t('action.cancel')}
          </Button>
        )}
      </div>
    </form>
  );
}
