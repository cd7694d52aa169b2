/** Which column a table is sorted by, and which way. */
export interface Sorting {
  readonly key: string;
  readonly descending: boolean;
}

/** The rows by what `of` says of them: numbers by size, texts as a reader of `language` expects. Equal rows keep their order. */
export function sorted<Row>(
  rows: readonly Row[],
  of: (row: Row) => string | number,
  descending: boolean,
  language: string,
): readonly Row[] {
  const texts = new Intl.Collator(language, { numeric: true });
  const compare = (one: Row, other: Row) => {
    const [a, b] = [of(one), of(other)];
    if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
    return texts.compare(String(a), String(b));
  };
  const ascending = [...rows].sort(compare);
  return descending ? ascending.reverse() : ascending;
}
