import { Elapsed } from '../clock';
import classes from '../floor/floor.module.css';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import type { AgentView } from '../wire';
import { ACTIVITIES, isActivity } from './activities';

/** What the roster has an agent do now, and since when the agent does otherwise. */
export function Planned({ agent }: { readonly agent: AgentView }) {
  const { t } = useLocalisation();
  if (!isActivity(agent.planned)) return t('floor.nothing');
  const planned = t(ACTIVITIES[agent.planned]);
  if (agent.out_of_schedule_since === null) return planned;
  return (
    <span className={`${classes.over} tone-attention`} data-testid="out-of-schedule">
      <Icon name="warning" size={16} />
      <span className="visually-hidden">{t('shifts.out')}</span>
      {planned} · <Elapsed since={agent.out_of_schedule_since} />
    </span>
  );
}
