import { Button, Modal } from '@mantine/core';
import { useState } from 'react';
import { decisionTable, why, type Candidate, type Decision, type Waiting } from '../api/why';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import type { Key, Translate } from '../i18n/translate';
import { useLive } from '../live/context';
import { useLabels } from '../session/session';
import classes from './floor.module.css';

const REASONS: Readonly<Partial<Record<string, Key>>> = {
  other_queue: 'why.other_queue',
  lacks_skill: 'why.lacks_skill',
  not_meant: 'why.not_meant',
  second_line: 'why.second_line',
  refused: 'why.refused',
  offline: 'state.offline',
  not_ready: 'state.not_ready',
  ringing: 'why.ringing',
  busy: 'state.busy',
  wrap_up: 'state.wrap_up',
  no_channel: 'why.no_channel',
  no_room: 'why.no_room',
  no_desk: 'why.no_desk',
  reserved: 'why.reserved',
  outranked: 'why.outranked',
};

/** Reasons of which the exchange knows more than their word: which skill, how many of how many, since when. */
const DETAILED: ReadonlySet<string> = new Set(['lacks_skill', 'no_room', 'not_ready', 'wrap_up', 'reserved']);

const RESULTS: Readonly<Partial<Record<string, Key>>> = {
  ringing: 'why.ringing_now',
  accepted: 'why.accepted',
  expired: 'why.expired',
  declined: 'why.declined',
  withdrawn: 'why.withdrawn',
  answered_elsewhere: 'why.answered_elsewhere',
};

const RULES: Readonly<Partial<Record<string, Key>>> = {
  longest_idle_agent: 'why.rule.longest_idle',
  most_skilled_agent: 'why.rule.most_skilled',
  fewest_calls_agent: 'why.rule.fewest_calls',
  least_talk_time_agent: 'why.rule.least_talk',
  round_robin_agent: 'why.rule.round_robin',
  top_down_agent: 'why.rule.top_down',
  random_agent: 'why.rule.random',
  first_contact: 'why.rule.first_contact',
};

/** The name of an agent as the floor has it. */
function useAgentName(): (agentId: string) => string {
  const { floor } = useLive();
  return (agentId) => floor.agents.get(agentId)?.name ?? agentId;
}

/** Everybody a decision looked at, and all that stood between each of them and the contact. */
function Candidates({ candidates }: { readonly candidates: readonly Candidate[] }) {
  const { t, format } = useLocalisation();
  const nameOf = useAgentName();
  return (
    <div className={classes.scroll}>
      <table className={classes.whyTable} data-testid="candidates">
        <thead>
          <tr>
            <th scope="col">{t('floor.agent')}</th>
            <th scope="col">{t('why.why_not')}</th>
          </tr>
        </thead>
        <tbody>
          {candidates.map((candidate) => (
            <tr key={candidate.agent_id} data-testid="candidate">
              <th scope="row">{nameOf(candidate.agent_id)}</th>
              <td>
                {candidate.reasons.length === 0
                  ? t('why.chosen')
                  : format.list(candidate.reasons.map((reason) => (REASONS[reason] ? t(REASONS[reason]) : reason)))}
                {candidate.reasons.some((reason) => DETAILED.has(reason)) && (
                  <span className="soft" lang="en">
                    {' '}
                    {candidate.detail}
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function DecisionEntry({ contactId, decision }: { readonly contactId: string; readonly decision: Decision }) {
  const { t, format } = useLocalisation();
  const labels = useLabels();
  const nameOf = useAgentName();
  const [opened, setOpened] = useState(false);
  const table = useFetched(`${contactId} ${decision.offer_id} ${opened}`, (signal) =>
    opened ? decisionTable(contactId, decision.offer_id, signal) : Promise.resolve(null),
  );
  const result = decision.result ?? 'ringing';
  const told = RESULTS[result];
  const rule = RULES[decision.rule];
  return (
    <li className={classes.decision} data-testid="decision">
      <p>
        <strong>
          {t('why.offered', {
            agent: decision.agent_id ? nameOf(decision.agent_id) : t('why.other_team'),
            queue: labels.queue(decision.queue_id),
          })}
        </strong>{' '}
        <span className="pill tone-quiet">{told ? t(told) : result}</span>
      </p>
      <p className="soft">
        {[
          format.dateTime(decision.at),
          rule ? t(rule) : decision.rule,
          t('why.step', { step: decision.step + 1 }),
          t.count('why.candidates', decision.candidates),
          decision.runner_up !== null && t('why.runner_up', { who: nameOf(decision.runner_up) }),
          decision.policy && t('why.policy', { version: decision.policy }),
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      <Button
        size="compact-sm"
        variant="subtle"
        aria-expanded={opened}
        onClick={() => setOpened(!opened)}
        data-testid="open-candidates"
      >
        {t('why.everybody')}
      </Button>
      {table.error && <LoadProblem onRetry={table.reload} />}
      {opened && table.value && <Candidates candidates={table.value.candidates} />}
    </li>
  );
}

/** Whom a step asks for; in words, where the house wrote it by itself: for one agent's box, and after a giving back. */
function spokenDemand(demand: string, nameOf: (agentId: string) => string, t: Translate): string {
  const only = /^agent:(\S+) and floor$/.exec(demand)?.[1];
  const without = /^not agent:(\S+)$/.exec(demand)?.[1];
  if (only) return t('why.only', { agent: nameOf(only) });
  if (without) return t('why.without', { agent: nameOf(without) });
  return demand ? t('why.demand', { demand }) : t('why.anybody');
}

function StillWaiting({ waiting }: { readonly waiting: Waiting }) {
  const nameOf = useAgentName();
  const { t, format } = useLocalisation();
  const labels = useLabels();
  const counts = (found: Readonly<Record<string, number>>) =>
    format.list(
      Object.entries(found).map(
        ([word, count]) => `${REASONS[word] ? t(REASONS[word]) : word} ${format.number(count)}`,
      ),
    ) || t('floor.nothing');
  return (
    <section aria-label={t('why.waits')} data-testid="why-waiting">
      <h3>{t('why.waits')}</h3>
      <ul>
        <li>{t('why.in_queue', { queue: labels.queue(waiting.queue_id), step: waiting.step + 1 })}</li>
        <li>{spokenDemand(waiting.demand, nameOf, t)}</li>
        {!waiting.somebody_there && <li>{t('why.nobody_there')}</li>}
        <li>{waiting.ahead === 0 ? t('why.first') : t.count('why.ahead', waiting.ahead)}</li>
        <li>
          {Object.keys(waiting.fitting).length === 0
            ? t('why.nobody_fits')
            : t('why.fitting', { states: counts(waiting.fitting) })}
        </li>
        {Object.keys(waiting.idle_but).length > 0 && (
          <li>{t('why.idle_but', { reasons: counts(waiting.idle_but) })}</li>
        )}
        {waiting.next_free_at !== null && <li>{t('why.next_free', { at: format.dateTime(waiting.next_free_at) })}</li>}
        {waiting.next_step_at !== null && <li>{t('why.next_step', { at: format.dateTime(waiting.next_step_at) })}</li>}
      </ul>
      <Candidates candidates={waiting.candidates} />
    </section>
  );
}

interface WhyDialogProps {
  readonly contactId: string;
  readonly caller: string;
  readonly onClose: () => void;
}

/** Why a contact went where it went, why it waits, and why not to anybody else. */
export default function WhyDialog({ contactId, caller, onClose }: WhyDialogProps) {
  const { t } = useLocalisation();
  const found = useFetched(contactId, (signal) => why(contactId, signal));
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={t('why.title', { caller })}
      closeButtonProps={{ 'aria-label': t('action.close'), size: 36 }}
    >
      <div data-testid="why" className={classes.why}>
        {found.error && found.error.status === 404 && <p className="soft">{t('why.nothing')}</p>}
        {found.error && found.error.status !== 404 && <LoadProblem onRetry={found.reload} />}
        {!found.value && !found.error && <p className="soft">{t('loading')}</p>}
        {found.value?.waiting && <StillWaiting waiting={found.value.waiting} />}
        {found.value && (
          <section aria-label={t('why.decisions')}>
            <h3>{t('why.decisions')}</h3>
            {found.value.decisions.length === 0 && <p className="soft">{t('why.no_decision')}</p>}
            <ol className={classes.decisions}>
              {found.value.decisions.map((decision) => (
                <DecisionEntry key={decision.offer_id} contactId={contactId} decision={decision} />
              ))}
            </ol>
          </section>
        )}
      </div>
    </Modal>
  );
}
