import type { Figure, ReportLine } from '../api/reports';
import type { Key } from '../i18n/translate';

/** Figures that are looked at together; each is the id of a formula and what it is called. */
export interface Group {
  readonly key: string;
  readonly label: Key;
  readonly of: 'queues' | 'agents';
  readonly columns: readonly (readonly [metric: string, label: Key])[];
  /** Of what not every house has: said where there is nothing, and lines with nothing are left out. */
  readonly without?: Key;
}

export const GROUPS: readonly Group[] = [
  {
    key: 'contacts',
    label: 'reports.contacts',
    of: 'queues',
    columns: [
      ['offered', 'floor.offered'],
      ['answered', 'floor.answered'],
      ['abandoned', 'floor.abandoned'],
      ['short_abandoned', 'reports.short_abandoned'],
      ['abandon_rate', 'reports.abandon_rate'],
      ['service_level_a', 'floor.level'],
      ['asa', 'reports.asa'],
      ['aht', 'reports.aht'],
    ],
  },
  {
    key: 'work',
    label: 'reports.work',
    of: 'agents',
    columns: [
      ['handled', 'reports.handled'],
      ['aht', 'reports.aht'],
      ['signed_in', 'reports.signed_in'],
      ['occupancy', 'reports.occupancy'],
      ['utilization_of_signed_in', 'reports.utilization_of_signed_in'],
      ['consultations', 'reports.consultations'],
      ['consulting_split', 'reports.consulting'],
      ['aht_without_consultation', 'reports.aht_without_consultation'],
      ['transfer_rate', 'reports.transfer_rate'],
      ['rona_rate', 'reports.rona_rate'],
    ],
  },
  {
    key: 'roster',
    label: 'reports.roster',
    of: 'agents',
    without: 'reports.no_roster',
    columns: [
      ['scheduled_split', 'reports.scheduled'],
      ['out_of_schedule_split', 'reports.out_of_schedule'],
      ['adherence', 'reports.adherence'],
      ['conformance', 'reports.conformance'],
      ['shrinkage', 'reports.shrinkage'],
      ['shrinkage_external', 'reports.shrinkage_external'],
      ['shrinkage_internal', 'reports.shrinkage_internal'],
    ],
  },
  {
    key: 'customers',
    label: 'reports.customers',
    of: 'queues',
    without: 'reports.no_resolution',
    columns: [
      ['fcr_7d_contacts', 'reports.decided'],
      ['fcr_1d', 'reports.fcr_1d'],
      ['fcr_7d', 'reports.fcr_7d'],
      ['fcr_30d', 'reports.fcr_30d'],
      ['fcr_7d_same_channel', 'reports.fcr_7d_same_channel'],
    ],
  },
  {
    key: 'voices',
    label: 'reports.voices',
    of: 'agents',
    without: 'reports.no_voices',
    columns: [
      ['surveys_asked', 'reports.surveys_asked'],
      ['survey_response_rate', 'reports.survey_response_rate'],
      ['csat', 'reports.csat'],
      ['csat_mean', 'reports.csat_mean'],
      ['nps', 'reports.nps'],
      ['qa_scored', 'reports.qa_scored'],
      ['qa_score', 'reports.qa_score'],
    ],
  },
  {
    key: 'satisfaction',
    label: 'reports.satisfaction',
    of: 'queues',
    without: 'reports.no_satisfaction',
    columns: [
      ['surveys_asked', 'reports.surveys_asked'],
      ['survey_response_rate', 'reports.survey_response_rate'],
      ['csat', 'reports.csat'],
      ['nps', 'reports.nps'],
      ['qa_score', 'reports.qa_score'],
    ],
  },
  {
    key: 'calls-out',
    label: 'reports.calls_out',
    of: 'queues',
    without: 'reports.no_calls_out',
    columns: [
      ['dials', 'reports.dials'],
      ['live_answers', 'reports.live_answers'],
      ['drop_rate', 'reports.drop_rate'],
      ['drop_rate_after_greeting', 'reports.drop_rate_after_greeting'],
      ['right_party_rate', 'reports.right_party_rate'],
    ],
  },
];

/** What has a figure even where there is nothing: 0. Shares and means of nothing are `null`. */
const COUNTED: ReadonlySet<string> = new Set(['count', 'ms']);

/** The lines of a group that have anything to show; all of them where every house has these figures. */
export function tellingLines(
  group: Group,
  lines: readonly ReportLine[],
  unitOf: (metric: string) => string,
): readonly ReportLine[] {
  if (group.without === undefined) return lines;
  const tells = (metric: string, value: Figure | undefined) =>
    typeof value === 'number' && (value !== 0 || !COUNTED.has(unitOf(metric)));
  return lines.filter(({ metrics }) => group.columns.some(([metric]) => tells(metric, metrics[metric])));
}
