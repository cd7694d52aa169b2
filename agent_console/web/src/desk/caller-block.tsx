import type { ReactNode } from 'react';
import { useLocalisation } from '../i18n/context';
import { LANGUAGES, supported } from '../i18n/translate';
import { Icon, type IconName } from '../icons';
import { useLabels } from '../session/session';
import type { ContactView } from '../wire';
import { callerOf, hasNumber, numberOf } from './caller';
import classes from './desk.module.css';

interface CardHeadProps {
  readonly tone: string;
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}

/** The coloured line at the top of a card: what is happening, and the time that matters. */
export function CardHead({ tone, icon, title, children }: CardHeadProps) {
  return (
    <div className={`${classes.cardHead} ${tone}`}>
      <Icon name={icon} size={20} />
      <h2>{title}</h2>
      <span className={classes.cardTime}>{children}</span>
    </div>
  );
}

/** Who calls, from which number. */
export function CallerBlock({ contact, testId }: { readonly contact: ContactView; readonly testId?: string }) {
  const { t } = useLocalisation();
  const name = callerOf(contact, t);
  const number = hasNumber(contact) ? numberOf(contact) : t('caller.withheld');
  return (
    <div className={classes.caller} data-testid={testId}>
      <p className={classes.callerName}>{name}</p>
      {name !== number && <p className={classes.callerNumber}>{number}</p>}
    </div>
  );
}

interface FactProps {
  readonly label: string;
  /** Takes a whole row. */
  readonly wide?: boolean;
  readonly children: ReactNode;
}

/** One thing known, with its name. */
export function Fact({ label, wide, children }: FactProps) {
  return (
    <div data-wide={wide}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What is known of a contact besides its caller: queue, way through the menu, number called, language. */
export function ContactFacts({ contact, children }: { readonly contact: ContactView; readonly children?: ReactNode }) {
  const { t } = useLocalisation();
  const labels = useLabels();
  const language = supported(contact.language);
  return (
    <dl className={classes.facts}>
      {contact.queue_id && <Fact label={t('contact.queue')}>{labels.queue(contact.queue_id)}</Fact>}
      {children}
      {contact.language && (
        <Fact label={t('contact.language')}>
          {language ? <span lang={LANGUAGES[language].tag}>{LANGUAGES[language].name}</span> : contact.language}
        </Fact>
      )}
      {contact.channel === 'voice' && <Fact label={t('contact.called')}>{contact.called}</Fact>}
      {contact.diverted_from && <Fact label={t('contact.diverted_from')}>{contact.diverted_from}</Fact>}
      {contact.flow_path.length > 0 && (
        <Fact label={t('contact.menu')} wide>
          <span className={classes.path}>
            {contact.flow_path.map((step, index) => (
              <span key={`${index} ${step}`}>
                {index > 0 && <Icon name="chevronRight" size={14} />} {step}
              </span>
            ))}
          </span>
        </Fact>
      )}
    </dl>
  );
}
