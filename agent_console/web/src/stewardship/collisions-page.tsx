import { collisions } from '../api/privacy';
import { useFetched } from '../api/use-fetched';
import { CustomerLink } from '../customers/customer-link';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { said } from '../record/words';
import { PagesNav } from './pages-nav';
import classes from './stewardship.module.css';

const OUTCOMES: Readonly<Partial<Record<string, Key>>> = {
  warn: 'collision.warn',
  block: 'collision.block',
  link: 'collisions.link',
};
const SIGNALS: Readonly<Partial<Record<string, Key>>> = {
  phone: 'collision.phone',
  email: 'collision.email',
  name: 'collision.name',
  address: 'collision.address',
};

/** Who was entered though they seemed to be there already: by whom, and whose they were. */
export default function CollisionsPage() {
  const { t, format } = useLocalisation();
  const list = useFetched('collisions', collisions);
  return (
    <>
      <PagesNav current="collisions" />
      <section className={`panel ${classes.stack}`} aria-label={t('collisions.title')}>
        <h1>{t('collisions.title')}</h1>
        <p className="soft">{t('collision.about')}</p>
        {list.error && <LoadProblem onRetry={list.reload} />}
        <div className={classes.scroll}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">{t('audit.when')}</th>
                <th scope="col">{t('collision.existing')}</th>
                <th scope="col">{t('collisions.owner')}</th>
                <th scope="col">{t('collision.entered_by')}</th>
                <th scope="col">{t('collision.created')}</th>
                <th scope="col">{t('collision.signals')}</th>
                <th scope="col">{t('collision.outcome')}</th>
              </tr>
            </thead>
            <tbody>
              {(list.value ?? []).map((each) => (
                <tr key={each.id} data-testid="collision-row">
                  <td>{format.dateTime(each.at)}</td>
                  <td>
                    <CustomerLink customerId={each.existing_id} />
                  </td>
                  <td>{each.existing_owner ?? <span className="soft">{t('collision.nobody')}</span>}</td>
                  <td>{each.entered_by ?? <span className="soft">{t('collision.nobody')}</span>}</td>
                  <td>
                    {each.created_id === null ? (
                      <span className="soft">{t('collision.not_created')}</span>
                    ) : (
                      <CustomerLink customerId={each.created_id} />
                    )}
                  </td>
                  <td>{each.signals.map((signal) => said(SIGNALS, signal, t)).join(', ')}</td>
                  <td>{said(OUTCOMES, each.outcome, t)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {list.value?.length === 0 && <p className="soft">{t('collision.none')}</p>}
      </section>
    </>
  );
}
