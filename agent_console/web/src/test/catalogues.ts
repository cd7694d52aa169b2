import enDesk from '../i18n/en.json';
import enPages from '../i18n/en.pages.json';
import type { Catalogue } from '../i18n/translate';
import zhDesk from '../i18n/zh.json';
import zhPages from '../i18n/zh.pages.json';

/** Every sentence of both languages. */
export const en: Catalogue = { ...enDesk, ...enPages };
export const zh: Catalogue = { ...zhDesk, ...zhPages };
