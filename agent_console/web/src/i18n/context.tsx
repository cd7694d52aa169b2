import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { recall, remember } from '../preferences';
import { loadAll, loadDesk } from './catalogues';
import { formats, type Formats } from './format';
import { LANGUAGES, supported, translator, type Catalogue, type Language, type Translate } from './translate';

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

/** Milliseconds before sentences that did not come are asked for again. */
const AGAIN_AFTER = 1_000;

interface Spoken {
  readonly language: Language;
  readonly catalogue: Partial<Catalogue>;
}

/** The language that was wished for once its sentences are here; the one before it until then. The first one is spoken
 *  as soon as the desk's sentences have come, without those of other pages. */
function useCatalogue(wished: Language): Spoken | null {
  const [spoken, setSpoken] = useState<Spoken | null>(null);
  useEffect(() => {
    let wanted = true;
    let again: ReturnType<typeof setTimeout> | undefined;
    const load = () => {
      loadDesk(wished).then(
        (catalogue) => {
          if (wanted) setSpoken((spoken) => spoken ?? { language: wished, catalogue });
        },
        () => undefined, // all of them are asked for again
      );
      loadAll(wished).then(
        (catalogue) => {
          if (wanted) setSpoken({ language: wished, catalogue });
        },
        () => {
          if (wanted) again = setTimeout(load, AGAIN_AFTER);
        },
      );
    };
    load();
    return () => {
      wanted = false;
      clearTimeout(again);
    };
  }, [wished]);
  return spoken;
}

/** Gives everything below it a language: the one chosen in this browser, else the browser's own. */
export function LocalisationProvider({ children }: { readonly children: ReactNode }) {
  const [wished, setWished] = useState(initialLanguage);
  const spoken = useCatalogue(wished);
  useEffect(() => {
    if (spoken) document.documentElement.lang = LANGUAGES[spoken.language].tag;
  }, [spoken]);
  const suggestLanguage = useCallback((suggested: Language) => {
    if (recall('language') === null) setWished(suggested);
  }, []);
  const value = useMemo<Localisation | null>(
    () =>
      spoken && {
        language: spoken.language,
        t: translator(spoken.language, spoken.catalogue),
        format: formats(spoken.language),
        setLanguage: (chosen) => {
          remember('language', chosen);
          setWished(chosen);
        },
        suggestLanguage,
      },
    [spoken, suggestLanguage],
  );
  if (!value) return null;
  return <LocalisationContext value={value}>{children}</LocalisationContext>;
}

export function useLocalisation(): Localisation {
  const value = useContext(LocalisationContext);
  if (!value) throw new Error('useLocalisation needs a LocalisationProvider above it');
  return value;
}
