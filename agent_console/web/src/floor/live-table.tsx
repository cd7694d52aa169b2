import { UnstyledButton } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useLocalisation } from '../i18n/context';
import { sorted, type Sorting } from './sorting';
import classes from './floor.module.css';

/** One column of a live table. Columns without `sort` keep the order of the rest. */
export interface Column<Row> {
  readonly key: string;
  readonly label: string;
  readonly cell: (row: Row) => ReactNode;
  readonly sort?: (row: Row) => string | number;
  readonly numeric?: boolean;
}

interface LiveTableProps<Row> {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  readonly rowTestId: string;
  /** The key of the column it is sorted by at first. */
  readonly sortedBy: string;
  readonly aside?: ReactNode;
}

/** A table whose rows change by themselves. It is sorted by what people chose, so that rows do not jump about. */
export function LiveTable<Row>({ title, rows, columns, rowKey, rowTestId, sortedBy, aside }: LiveTableProps<Row>) {
  const { t, language } = useLocalisation();
  const [sorting, setSorting] = useState<Sorting>({ key: sortedBy, descending: false });
  const sort = columns.find((column) => column.key === sorting.key)?.sort;
  const shown = sort ? sorted(rows, sort, sorting.descending, language) : rows;
  const ariaSort = (column: Column<Row>) => {
    if (column.key !== sorting.key) return undefined;
    return sorting.descending ? ('descending' as const) : ('ascending' as const);
  };
  return (
    <section className="panel" aria-label={title}>
      <div className={classes.tableHead}>
        <h2>{title}</h2>
        {aside}
      </div>
      {/* A region that scrolls sideways must be reachable with the keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className={classes.scroll} role="region" aria-label={title} tabIndex={0}>
        <table className={classes.table}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.key} scope="col" data-numeric={column.numeric} aria-sort={ariaSort(column)}>
                  {column.sort ? (
                    <UnstyledButton
                      className={classes.sort}
                      onClick={() =>
                        setSorting({ key: column.key, descending: sorting.key === column.key && !sorting.descending })
                      }
                    >
                      {column.label}
                      <span aria-hidden="true">
                        {column.key === sorting.key ? (sorting.descending ? ' ↓' : ' ↑') : ''}
                      </span>
                    </UnstyledButton>
                  ) : (
                    column.label
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={rowKey(row)} data-testid={rowTestId} data-id={rowKey(row)}>
                {columns.map((column) => (
                  <td key={column.key} data-numeric={column.numeric}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p className="soft">{t('floor.none')}</p>}
      </div>
    </section>
  );
}
