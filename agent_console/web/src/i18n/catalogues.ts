import type { Catalogue, Language } from './translate';

/** One file for each language, so that a browser loads only those that are looked at. */
const LOADERS: Readonly<Record<Language, () => Promise<{ readonly default: Catalogue }>>> = {
  en: () => import('./en.json'),
  zh: () => import('./zh.json'),
};

/** The sentences of a language. Rejects when the server does not give them. */
export async function loadCatalogue(language: Language): Promise<Catalogue> {
  return (await LOADERS[language]()).default;
}
