import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { recall, remember } from '../preferences';
import { formats, type Formats } from './format';
import { LANGUAGES, supported, translator, type Language, type Translate } from './translate';

export interface Localisation {
  readonly language: Language;
  /** The person chose: remembered in this browser. */
  readonly setLanguage: (language: Language) => void;
  /** The account says: used where the person has not chosen in this browser. */
  readonly suggestLanguage: (language: Language) => void;
  readonly t: Translate;
  readonly format: Formats;
}

const LocalisationContext = createContext<Localisation | null>(null);

function initialLanguage(): Language {
  return supported(recall('language')) ?? supported(navigator.language) ?? 'en';
}

/** Gives everything below it a language: the one chosen in this browser, else the browser's own. */
export function LocalisationProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState(initialLanguage);
  useEffect(() => {
    document.documentElement.lang = LANGUAGES[language].tag;
  }, [language]);
  const suggestLanguage = useCallback((suggested: Language) => {
    if (recall('language') === null) setLanguage(suggested);
  }, []);
  const value = useMemo<Localisation>(
    () => ({
      language,
      t: translator(language),
      format: formats(language),
      setLanguage: (chosen) => {
        remember('language', chosen);
        setLanguage(chosen);
      },
      suggestLanguage,
    }),
    [language, suggestLanguage],
  );
  return <LocalisationContext value={value}>{children}</LocalisationContext>;
}

export function useLocalisation(): Localisation {
  const value = useContext(LocalisationContext);
  if (!value) throw new Error('useLocalisation needs a LocalisationProvider above it');
  return value;
}
