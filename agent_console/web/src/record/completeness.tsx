import type { CustomerRecord, FieldGroup } from '../api/record';
import { useLocalisation } from '../i18n/context';
import { GROUPS } from './details';
import { fieldName } from './field-names';
import classes from './record.module.css';

/** How much is known in each group, and what is missing. */
export function Completeness({ record }: { readonly record: CustomerRecord }) {
  const { t, format } = useLocalisation();
  return (
    <section aria-label={t('completeness.title')} className={classes.stack}>
      <h3 className={classes.subheading}>{t('completeness.title')}</h3>
      <ul className={classes.groups} data-testid="completeness">
        {(Object.keys(GROUPS) as FieldGroup[]).map((group) => {
          const { percent, missing } = record.completeness[group];
          const label = t('completeness.group', { group: t(GROUPS[group]), share: format.percent(percent / 100) });
          return (
            <li key={group}>
              <span>{label}</span>
              <meter min={0} max={100} value={percent} aria-label={label} />
              {missing.length > 0 && (
                <span className="soft">
                  {t('completeness.missing', { fields: format.list(missing.map((name) => fieldName(name, t))) })}
                </span>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
