import { Elapsed } from '../clock';
import { callerOf } from '../desk/caller';
import { lookOf } from '../floor/states';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import type { AgentView, ContactView } from '../wire';
import { CHANNELS } from './channels';
import { OfferAnswers } from './item-card';
import classes from './items.module.css';
import { Loads } from './loads';

interface WorkListProps {
  readonly agent: AgentView | null;
  readonly works: readonly ContactView[];
  /** The contact whose card is shown. */
  readonly shown: string;
  readonly onShow: (contactId: string) => void;
}

/** Everything an agent has at once: the call and the items, of which one is shown; what rings is answered here, too. */
export function WorkList({ agent, works, shown, onShow }: WorkListProps) {
  const { t } = useLocalisation();
  return (
    <section className={classes.works} aria-label={t('item.mine')} data-testid="work-list">
      <div className={classes.worksHead}>
        <h2>{t('item.mine')}</h2>
        {agent && <Loads agent={agent} />}
      </div>
      <ul>
        {works.map((contact) => {
          const rings = contact.state === 'offered';
          const look = lookOf(contact);
          return (
            <li
              key={contact.contact_id}
              className={`${classes.work} ${rings ? 'tone-attention' : look.tone}`}
              data-shown={contact.contact_id === shown}
              data-testid="work"
            >
              <button
                type="button"
                className={classes.workButton}
                aria-pressed={contact.contact_id === shown}
                onClick={() => onShow(contact.contact_id)}
              >
                <Icon name={CHANNELS[contact.channel].icon} size={20} />
                <span className={classes.workName}>
                  <span className="visually-hidden">{t(CHANNELS[contact.channel].label)}: </span>
                  {callerOf(contact, t)}
                </span>
                <span className={classes.workState}>
                  {t(look.label)} <Elapsed since={contact.connected_at ?? contact.offered_at ?? contact.arrived_at} />
                </span>
              </button>
              {rings && contact.channel !== 'voice' && (
                <span className={classes.workAnswers}>
                  <OfferAnswers item={contact} size="xs" />
                </span>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
