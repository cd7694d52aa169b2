import { may } from '../api/permissions';
import { useLocalisation } from '../i18n/context';
import { useSignedIn } from '../session/session';
import { addressOf } from '../shell/route';
import { PAGES, type Page } from './pages';
import classes from './stewardship.module.css';

/** The pages about customers; who may see only one of them sees no list. */
export function PagesNav({ current }: { readonly current: Page }) {
  const { t } = useLocalisation();
  const { person } = useSignedIn();
  const shown = PAGES.filter(({ needs }) => needs === null || may(person, needs));
  if (shown.length < 2) return null;
  return (
    <nav className={classes.nav} aria-label={t('customers.pages')}>
      {shown.map(({ page, label }) => (
        <a
          key={page}
          href={addressOf({ page })}
          aria-current={page === current ? 'page' : undefined}
          data-testid={`pages-${page}`}
        >
          {t(label)}
        </a>
      ))}
    </nav>
  );
}
