import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import classes from './stewardship.module.css';

export interface Column<Entry> {
  readonly heading: Key;
  readonly cell: (entry: Entry) => ReactNode;
  /** For ids and lists of names, which have no spaces to break at. */
  readonly wraps?: boolean;
}

interface Entries<Entry> {
  readonly items: readonly Entry[];
  readonly loading: boolean;
  readonly error: unknown;
  readonly reload: () => void;
  readonly more?: boolean;
  readonly loadMore?: () => void;
}

interface Props<Entry> {
  readonly entries: Entries<Entry>;
  readonly columns: readonly Column<Entry>[];
  readonly keyOf: (entry: Entry) => string;
  /** Said when there is nothing. */
  readonly none: Key;
  readonly rowTestId: string;
}

/** A log, one row for each entry, the newest first; more of it on request. */
export function LogTable<Entry>({ entries, columns, keyOf, none, rowTestId }: Props<Entry>) {
  const { t } = useLocalisation();
  const { items, loading, error, reload, more, loadMore } = entries;
  return (
    <>
      {Boolean(error) && <LoadProblem onRetry={reload} />}
      <div className={classes.scroll}>
        <table className={classes.table}>
          <thead>
            <tr>
              {columns.map(({ heading }) => (
                <th key={heading} scope="col">
                  {t(heading)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.map((entry) => (
              <tr key={keyOf(entry)} data-testid={rowTestId}>
                {columns.map(({ heading, cell, wraps }) => (
                  <td key={heading} className={wraps ? 'wrap-anywhere' : undefined}>
                    {cell(entry)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!loading && !error && items.length === 0 && <p className="soft">{t(none)}</p>}
      {more && (
        <Button variant="default" onClick={loadMore} loading={loading}>
          {t('action.load_more')}
        </Button>
      )}
    </>
  );
}
