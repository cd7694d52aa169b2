import { gzipSync } from 'node:zlib';

/** Bytes of compressed script that an agent waits for: the page's entry, one language and the desk. */
const FIRST_LOAD_BUDGET = 150_000;
const AWAITED = ['src/desk/desk-page.tsx', 'src/i18n/en.json'];

/** Everything a chunk needs before it runs, itself included. */
function withImports(bundle, fileName, found = new Set()) {
  if (found.has(fileName)) return found;
  found.add(fileName);
  for (const imported of bundle[fileName].imports) withImports(bundle, imported, found);
  return found;
}

/** A build that makes the first load heavier than the budget fails, and says what it weighs. */
export function firstLoadBudget() {
  return {
    name: 'first-load-budget',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((each) => each.type === 'chunk');
      const awaited = chunks.filter(
        (chunk) => chunk.isEntry || AWAITED.some((path) => chunk.facadeModuleId?.endsWith(path)),
      );
      if (awaited.length !== AWAITED.length + 1) this.error('the first load is not split as expected');
      const files = awaited.reduce((found, chunk) => withImports(bundle, chunk.fileName, found), new Set());
      const bytes = [...files].reduce((sum, file) => sum + gzipSync(bundle[file].code).length, 0);
      const told = `first load: ${bytes} bytes of compressed script in ${files.size} files, budget ${FIRST_LOAD_BUDGET}`;
      if (bytes > FIRST_LOAD_BUDGET) this.error(told);
      else this.info(told);
    },
  };
}
