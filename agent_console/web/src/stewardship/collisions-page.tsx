import { collisions, type Collision } from '../api/privacy';
import { useFetched } from '../api/use-fetched';
import { CustomerLink } from '../customers/customer-link';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { said } from '../record/words';
import { Claims } from './claims';
import { LogTable, type Column } from './log-table';
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
  const somebody = (name: string | null) => name ?? <span className="soft">{t('collision.nobody')}</span>;
  const columns: readonly Column<Collision>[] = [
    { heading: 'audit.when', cell: ({ at }) => format.dateTime(at) },
    { heading: 'collision.existing', cell: ({ existing_id }) => <CustomerLink customerId={existing_id} /> },
    { heading: 'collisions.owner', cell: ({ existing_owner }) => somebody(existing_owner) },
    { heading: 'collision.entered_by', cell: ({ entered_by }) => somebody(entered_by) },
    {
      heading: 'collision.created',
      cell: ({ created_id }) =>
        created_id === null ? (
          <span className="soft">{t('collision.not_created')}</span>
        ) : (
          <CustomerLink customerId={created_id} />
        ),
    },
    { heading: 'collision.signals', cell: ({ signals }) => format.list(signals.map((each) => said(SIGNALS, each, t))) },
    { heading: 'collision.outcome', cell: ({ outcome }) => said(OUTCOMES, outcome, t) },
  ];
  return (
    <>
      <PagesNav current="collisions" />
      <Claims />
      <section className={`panel ${classes.stack} ${classes.below}`} aria-label={t('collisions.title')}>
        <h1>{t('collisions.title')}</h1>
        <p className="soft">{t('collision.about')}</p>
        <LogTable
          entries={{ ...list, items: list.value ?? [], loading: list.value === null }}
          columns={columns}
          keyOf={({ id }) => id}
          none="collision.none"
          rowTestId="collision-row"
        />
      </section>
    </>
  );
}
