import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import type { ContactView } from '../wire';
import { FAIR, GOOD } from '../softphone/quality';

/** How one party's line sounded over a whole call, as the customer store tells it. */
export interface LineQuality {
  readonly role: string;
  readonly agent_name: string | null;
  readonly codec: string;
  readonly is_heard: boolean;
  readonly loss_percent: number;
  readonly far_loss_percent: number | null;
  readonly jitter_ms: number;
  readonly round_trip_ms: number | null;
  readonly mos: number | null;
  readonly worst_mos: number | null;
  readonly worst_loss_percent: number | null;
}

const ROLES: Partial<Record<string, Key>> = {
  customer: 'line.customer',
  agent: 'line.agent',
  consulted: 'line.consulted',
};

/** What is to be thought of a line: its mean, or a stretch in it that was bad. */
export function gradeOfLine(line: Pick<LineQuality, 'mos' | 'worst_mos' | 'is_heard'>): 'good' | 'fair' | 'poor' {
  if (line.mos === null || !line.is_heard) return 'poor';
  if (line.mos < FAIR) return 'poor';
  return line.mos < GOOD || (line.worst_mos ?? line.mos) < FAIR ? 'fair' : 'good';
}

const TONES = { good: 'tone-good', fair: 'tone-attention', poor: 'tone-bad' } as const;

function useRole(): (role: string) => string {
  const { t } = useLocalisation();
  return (role) => {
    const known = ROLES[role];
    return known ? t(known) : role;
  };
}

/** How each party of a contact was heard: a word for each, its figures behind it. */
export function LinesSummary({ lines }: { readonly lines: readonly LineQuality[] }) {
  const { t, format } = useLocalisation();
  const nameOf = useRole();
  const one = (value: number) => format.number(Math.round(value * 10) / 10);
  if (lines.length === 0) return null;
  return (
    <details data-testid="line-quality">
      <summary>
        {lines.map((line, index) => {
          const grade = gradeOfLine(line);
          return (
            <span key={`${line.role} ${String(index)}`} className={`pill ${TONES[grade]}`}>
              {grade !== 'good' && <Icon name="warning" size={16} />}
              {t('line.pill', { who: nameOf(line.role), grade: t(`phone.quality.${grade}`) })}
            </span>
          );
        })}
      </summary>
      <ul>
        {lines.map((line, index) => (
          <li key={`${line.role} ${String(index)}`} className="soft">
            {[
              line.agent_name ?? nameOf(line.role),
              line.codec,
              line.mos === null ? t('line.nothing_came') : t('line.mos', { mos: one(line.mos) }),
              line.mos !== null && !line.is_heard && t('line.unheard'),
              t('line.loss', { loss: one(line.loss_percent) }),
              line.far_loss_percent !== null && t('line.far_loss', { loss: one(line.far_loss_percent) }),
              t('line.jitter', { jitter: one(line.jitter_ms) }),
              line.round_trip_ms !== null && t('line.round_trip', { delay: one(line.round_trip_ms) }),
              line.worst_mos !== null &&
                t('line.worst', { mos: one(line.worst_mos), loss: one(line.worst_loss_percent ?? 0) }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Whose line of a conversation sounds poor now. */
export function PoorLines({ contact }: { readonly contact: ContactView }) {
  const { t, format } = useLocalisation();
  const nameOf = useRole();
  return (
    <>
      {contact.poor_lines.map((line) => (
        <span
          key={line.role}
          className="pill tone-bad"
          title={t('line.figures', {
            mos: format.number(Math.round(line.mos * 10) / 10),
            loss: format.number(line.loss_percent),
            jitter: format.number(Math.round(line.jitter_ms)),
          })}
          data-testid="poor-line"
        >
          <Icon name="warning" size={16} />
          {t('line.pill', { who: nameOf(line.role), grade: t('phone.quality.poor') })}
        </span>
      ))}
    </>
  );
}
