import { Button, Checkbox, NativeSelect } from '@mantine/core';
import { useEffect, useState, type SubmitEvent } from 'react';
import { may } from '../api/permissions';
import { lookAtFields } from '../api/privacy';
import { customFields, type CustomField, type CustomValue } from '../api/record';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useSignedIn } from '../session/session';
import { useAnnouncer } from '../shell/announcer';
import { FieldValue } from './field-value';
import { customField, isSensitive } from './fields';
import { Problem } from './problem';
import { useAction } from './problems';
import { choices, DATA_CLASSES, LEGAL_BASES, PURPOSES, said } from './words';
import classes from './record.module.css';

/** How long what was looked at stays on the screen. */
const SHOWN_MS = 120_000;

type Values = Readonly<Record<string, CustomValue>>;

/** Hides what is shown when its time is over, and as soon as the page is not looked at any more. */
function useHiding(shown: boolean, hide: () => void): void {
  useEffect(() => {
    if (!shown) return undefined;
    const timer = window.setTimeout(hide, SHOWN_MS);
    const leave = () => {
      if (document.hidden) hide();
    };
    document.addEventListener('visibilitychange', leave);
    return () => {
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', leave);
    };
  }, [shown, hide]);
}

interface AskProps {
  readonly customerId: string;
  readonly fields: readonly CustomField[];
  readonly onShown: (values: Values) => void;
  readonly onClose: () => void;
}

/** What for, and on which legal ground: asked each time, and written down. */
function Ask({ customerId, fields, onShown, onClose }: AskProps) {
  const { t } = useLocalisation();
  const action = useAction();
  const purposes = [...new Set(fields.flatMap(({ purpose }) => purpose ?? []))];
  const [purpose, setPurpose] = useState('');
  const [basis, setBasis] = useState('');
  const [left, setLeft] = useState<readonly string[]>([]);
  const offered = fields.filter((field) => field.purpose === purpose);
  const wanted = offered.filter(({ code }) => !left.includes(code));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const codes = wanted.map(({ code }) => code);
    void action.run(async () => onShown(await lookAtFields(customerId, codes, purpose, basis)));
  };
  const choose = { value: '', label: t('wrap_up.choose') };
  return (
    <form onSubmit={submit} className={classes.form} data-testid="sensitive-form">
      <p>{t('sensitive.lead')}</p>
      <div className={classes.inputs}>
        <NativeSelect
          label={t('sensitive.purpose')}
          value={purpose}
          required
          data={[choose, ...purposes.map((value) => ({ value, label: said(PURPOSES, value, t) }))]}
          onChange={(event) => setPurpose(event.currentTarget.value)}
          data-testid="sensitive-purpose"
        />
        <NativeSelect
          label={t('consent.basis')}
          value={basis}
          required
          data={[choose, ...choices(LEGAL_BASES, t)]}
          onChange={(event) => setBasis(event.currentTarget.value)}
          data-testid="sensitive-basis"
        />
      </div>
      {offered.length > 0 && (
        <fieldset className={classes.choices}>
          <legend>{t('sensitive.which')}</legend>
          {offered.map(({ code, label }) => (
            <Checkbox
              key={code}
              label={label}
              checked={!left.includes(code)}
              onChange={(event) =>
                setLeft(event.currentTarget.checked ? left.filter((each) => each !== code) : [...left, code])
              }
            />
          ))}
        </fieldset>
      )}
      <Problem text={action.problem} />
      <div className={classes.buttons}>
        <Button
          type="submit"
          loading={action.busy}
          disabled={!basis || wanted.length === 0}
          data-testid="sensitive-show"
        >
          {t('sensitive.show')}
        </Button>
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
      </div>
    </form>
  );
}

/**
 * Fields of a sensitive class: hidden, shown for a purpose with a legal basis, and hidden again after two minutes, when
 * the page is left, or by hand. Nothing of them is asked of the store before.
 */
export function SensitiveFields({ customerId }: { readonly customerId: string }) {
  const { t } = useLocalisation();
  const { person } = useSignedIn();
  const announcer = useAnnouncer();
  const custom = useFetched('custom fields', customFields);
  const [asking, setAsking] = useState(false);
  const [values, setValues] = useState<Values | null>(null);
  const [hide] = useState(() => () => setValues(null));
  useHiding(values !== null, hide);
  const fields = (custom.value ?? []).filter(isSensitive);
  if (fields.length === 0) return null;
  const show = (found: Values) => {
    setValues(found);
    setAsking(false);
    announcer.status(t('sensitive.shown'));
  };
  return (
    <section className={classes.stack} aria-label={t('sensitive.title')} data-testid="sensitive">
      <h3 className={classes.subheading}>{t('sensitive.title')}</h3>
      <dl className={classes.facts}>
        {fields.map((field) => (
          <div key={field.code}>
            <dt>
              {field.label} <span className="pill tone-quiet">{said(DATA_CLASSES, field.data_class, t)}</span>
            </dt>
            <dd data-testid={`sensitive-${field.code}`}>
              {values && field.code in values ? (
                <FieldValue field={customField(field)} value={values[field.code] ?? null} />
              ) : (
                <span className="soft">{t('sensitive.hidden')}</span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      {asking && <Ask customerId={customerId} fields={fields} onShown={show} onClose={() => setAsking(false)} />}
      {!asking && may(person, 'sensitive') && (
        <div className={classes.buttons}>
          <Button
            variant="light"
            size="sm"
            leftSection={<Icon name={values ? 'close' : 'search'} />}
            onClick={() => (values ? hide() : setAsking(true))}
            data-testid={values ? 'sensitive-hide' : 'sensitive-open'}
          >
            {values ? t('sensitive.hide') : t('sensitive.open')}
          </Button>
        </div>
      )}
    </section>
  );
}
