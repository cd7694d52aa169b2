import { post, remove } from './http';
import { pathOf, type PersonalPreference } from './record';

export const addTaste = (id: string, taste: Pick<PersonalPreference, 'kind' | 'value' | 'source'>) =>
  post<PersonalPreference>(`${pathOf(id)}/personal-preferences`, taste);

export const removeTaste = (id: string, taste: string) =>
  remove(`${pathOf(id)}/personal-preferences/${encodeURIComponent(taste)}`);
