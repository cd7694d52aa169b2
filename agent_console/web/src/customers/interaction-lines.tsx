import type { ReactNode } from 'react';
import { AppraisalButton } from '../appraisals/appraisal-button';
import type { InteractionLine } from '../api/customers';
import { useServerNow } from '../clock';
import { useLocalisation } from '../i18n/context';
import { clockDigits } from '../i18n/format';
import type { Key } from '../i18n/translate';
import { Icon, type IconName } from '../icons';
import { LinesSummary } from '../quality/line-quality';
import { Recordings, WholeTranscript } from '../recordings/player';
import { useLabels } from '../session/session';
import classes from './customers.module.css';

/** How a contact ended, in words; those that the server adds later show under their own name. */
const OUTCOMES: Partial<Record<string, { readonly label: Key; readonly tone: string }>> = {
  answered: { label: 'outcome.answered', tone: 'tone-good' },
  abandoned: { label: 'outcome.abandoned', tone: 'tone-attention' },
  abandoned_in_flow: { label: 'outcome.abandoned_in_flow', tone: 'tone-quiet' },
  completed_in_flow: { label: 'outcome.completed_in_flow', tone: 'tone-quiet' },
  closed_hours: { label: 'outcome.closed_hours', tone: 'tone-quiet' },
  turned_away: { label: 'outcome.turned_away', tone: 'tone-attention' },
  no_queue: { label: 'outcome.no_queue', tone: 'tone-attention' },
  failed: { label: 'outcome.failed', tone: 'tone-bad' },
  system_restart: { label: 'outcome.system_restart', tone: 'tone-bad' },
  erased: { label: 'outcome.erased', tone: 'tone-quiet' },
};

/** How a contact came from the one before it. */
const RELATIONS: Partial<Record<string, Key>> = {
  transfer: 'interaction.transferred',
  consult: 'interaction.consulted',
  recall: 'interaction.recalled',
  retrieved: 'interaction.retrieved',
};

const CHANNELS: Partial<Record<string, IconName>> = { email: 'mail', sms: 'chat', chat: 'chat', webchat: 'chat' };

function iconOf({ channel, direction }: InteractionLine): IconName {
  return CHANNELS[channel] ?? (direction === 'outbound' ? 'phoneOut' : 'phoneIn');
}

/** How a contact ended. */
export function OutcomePill({ outcome }: { readonly outcome: string }) {
  const { t } = useLocalisation();
  const known = OUTCOMES[outcome];
  return <span className={`pill ${known?.tone ?? 'tone-quiet'}`}>{known ? t(known.label) : outcome}</span>;
}

/** Who had the customer before, when a contact was handed on. */
function CameFrom({ parent }: { readonly parent: InteractionLine['parent'] }) {
  const { t } = useLocalisation();
  const words = parent && RELATIONS[parent.relation];
  if (!words) return null;
  const name = parent.agent_name ?? t('interaction.somebody');
  return (
    <p className="soft" data-testid="came-from">
      {t(words, { name })}
    </p>
  );
}

/** What happened in one contact: when, where, with whom, what came of it, and what was noted. */
export function InteractionSummary({
  line,
  children,
}: {
  readonly line: InteractionLine;
  readonly children?: ReactNode;
}) {
  const { t, format } = useLocalisation();
  const labels = useLabels();
  const serverNow = useServerNow();
  const parts = [
    line.queue_id && labels.queue(line.queue_id),
    line.agent_name,
    line.diverted_from && `${t('contact.diverted_from')} ${line.diverted_from}`,
    line.survey?.score != null &&
      t(line.survey.kind === 'nps' ? 'appraisal.nps_of' : 'appraisal.csat_of', { score: line.survey.score }),
    line.survey?.comment && `“${line.survey.comment}”`,
    line.talk_ms > 0 && t('interaction.talk', { time: clockDigits(line.talk_ms) }),
  ].filter(Boolean);
  return (
    <div className={classes.line}>
      <span className={classes.lineIcon}>
        <Icon name={iconOf(line)} />
      </span>
      <div>
        <p className={classes.lineHead}>
          <OutcomePill outcome={line.outcome} />
          {line.disposition && <strong>{labels.disposition(line.disposition)}</strong>}
          <time dateTime={line.started_at} title={format.dateTime(line.started_at)} className="soft">
            {format.ago(line.started_at, serverNow())}
          </time>
        </p>
        {parts.length > 0 && <p className="soft">{parts.join(' · ')}</p>}
        <CameFrom parent={line.parent} />
        {line.notes && <p className={classes.notes}>{line.notes}</p>}
        {line.lines && <LinesSummary lines={line.lines} />}
        {line.recordings && <Recordings recordings={line.recordings} transcripts={line.transcripts} />}
        <WholeTranscript contactId={line.contact_id} transcripts={line.transcripts} />
        {line.recordings && <AppraisalButton line={line} />}
        {children}
      </div>
    </div>
  );
}

/** The last contacts of a customer, latest first. */
export function RecentInteractions({ lines }: { readonly lines: readonly InteractionLine[] }) {
  const { t } = useLocalisation();
  return (
    <section aria-label={t('interactions.recent')} data-testid="recent-interactions">
      <h3 className={classes.heading}>{t('interactions.recent')}</h3>
      {lines.length === 0 ? (
        <p className="soft">{t('interactions.none')}</p>
      ) : (
        <ol className={classes.lines}>
          {lines.map((line) => (
            <li key={line.contact_id}>
              <InteractionSummary line={line} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
