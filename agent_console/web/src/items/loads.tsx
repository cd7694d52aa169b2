import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import type { AgentView } from '../wire';
import { CHANNELS } from './channels';
import classes from './items.module.css';

/** How much of each shared channel an agent has, of how much there may be. */
export function Loads({ agent }: { readonly agent: AgentView }) {
  const { t, format } = useLocalisation();
  if (agent.loads.length === 0) return null;
  return (
    <ul className={classes.loads} aria-label={t('item.capacity')} data-testid="loads">
      {agent.loads.map(({ channel, has, most }) => (
        <li key={channel} data-full={has >= most} title={t(CHANNELS[channel].label)}>
          <Icon name={CHANNELS[channel].icon} size={16} />
          <span className="visually-hidden">{t(CHANNELS[channel].label)}</span>{' '}
          {t('item.load', { has: format.number(has), most: format.number(most) })}
        </li>
      ))}
    </ul>
  );
}
