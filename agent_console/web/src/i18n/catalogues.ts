import type { Catalogue, Language } from './translate';

type Part = Promise<{ readonly default: Partial<Catalogue> }>;

/** One file for each language, so that a browser loads only those that are looked at. */
const DESK: Readonly<Record<Language, () => Part>> = {
  en: () => import('./en.json'),
  zh: () => import('./zh.json'),
};
/** What only the other pages and some dialogs say: nobody waits for it at the desk. */
const PAGES: Readonly<Record<Language, () => Part>> = {
  en: () => import('./en.pages.json'),
  zh: () => import('./zh.pages.json'),
};

/** The sentences of desk and sign-in in a language. Rejects when the server does not give them. */
export async function loadDesk(language: Language): Promise<Partial<Catalogue>> {
  return (await DESK[language]()).default;
}

/** Every sentence of a language. Rejects when the server does not give them. */
export async function loadAll(language: Language): Promise<Partial<Catalogue>> {
  const [desk, pages] = await Promise.all([DESK[language](), PAGES[language]()]);
  return { ...desk.default, ...pages.default };
}
