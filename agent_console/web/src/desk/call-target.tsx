import { NativeSelect, TextInput } from '@mantine/core';
import type { RefObject } from 'react';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { useSignedIn } from '../session/session';
import type { TargetKind } from '../wire';
import classes from './desk.module.css';

/** Whom a call is to be connected with, as far as it has been said. */
export interface CallTarget {
  readonly target_kind: TargetKind;
  readonly target: string;
}

export const NOBODY_YET: CallTarget = { target_kind: 'number', target: '' };

const KINDS: Readonly<Record<TargetKind, Key>> = {
  agent: 'target.agent',
  queue: 'target.queue',
  number: 'target.number',
};

interface CallTargetInputProps {
  readonly kinds: readonly TargetKind[];
  readonly value: CallTarget;
  readonly onChange: (target: CallTarget) => void;
  readonly inputRef?: RefObject<HTMLSelectElement | null>;
}

/** A colleague, a queue or a number. */
export function CallTargetInput({ kinds, value, onChange, inputRef }: CallTargetInputProps) {
  const { t, language } = useLocalisation();
  const { settings, person } = useSignedIn();
  const { target_kind: kind, target } = value;
  const listed = (kind === 'agent' ? settings.agents : settings.queues).filter(({ code }) => code !== person.agent_id);
  const data = listed.map(({ code, labels }) => ({ value: code, label: labels[language] ?? labels.en ?? code }));
  return (
    <div className={classes.target}>
      <NativeSelect
        ref={inputRef ?? null}
        label={t('target.kind')}
        value={kind}
        data={kinds.map((each) => ({ value: each, label: t(KINDS[each]) }))}
        onChange={(event) => onChange({ target_kind: event.currentTarget.value as TargetKind, target: '' })}
        data-testid="target-kind"
      />
      {kind === 'number' ? (
        <TextInput
          type="tel"
          label={t('target.number')}
          value={target}
          onChange={(event) => onChange({ target_kind: kind, target: event.currentTarget.value })}
          maxLength={64}
          autoComplete="off"
          data-testid="target"
        />
      ) : (
        <NativeSelect
          label={t(KINDS[kind])}
          value={target}
          data={[{ value: '', label: t('wrap_up.choose') }, ...data]}
          onChange={(event) => onChange({ target_kind: kind, target: event.currentTarget.value })}
          data-testid="target"
        />
      )}
    </div>
  );
}

/** The name of whom a contact is being connected with. */
export function useTargetName(): (kind: TargetKind | null, target: string | null) => string {
  const { language } = useLocalisation();
  const { settings } = useSignedIn();
  return (kind, target) => {
    const list = kind === 'agent' ? settings.agents : kind === 'queue' ? settings.queues : [];
    const found = list.find(({ code }) => code === target);
    return found?.labels[language] ?? found?.labels.en ?? target ?? '';
  };
}
