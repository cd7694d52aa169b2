import { Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core';
import type { CustomValue } from '../api/record';
import { CustomerPicker } from '../customers/customer-picker';
import { useLocalisation } from '../i18n/context';
import { LANGUAGES, type Key } from '../i18n/translate';
import { GENDERS, PARTY_KINDS, STAGES, type Field } from './fields';
import { choices } from './words';
import classes from './record.module.css';

const LANGUAGE_NAMES = Object.fromEntries(Object.entries(LANGUAGES).map(([code, { name }]) => [code, name]));

/** The name of a field as people read it. */
export function labelOf(field: Field, t: (key: Key) => string): string {
  return typeof field.label === 'string' ? t(field.label) : field.label.text;
}

interface FieldInputProps {
  readonly field: Field;
  readonly value: CustomValue;
  readonly onChange: (value: CustomValue) => void;
}

function ChoicesInput({ field, value, onChange }: FieldInputProps) {
  const { t } = useLocalisation();
  const chosen = Array.isArray(value) ? (value as readonly string[]) : [];
  return (
    <fieldset className={classes.choices}>
      <legend>{labelOf(field, t)}</legend>
      {field.options.map((option) => (
        <Checkbox
          key={option}
          label={option}
          checked={chosen.includes(option)}
          onChange={(event) =>
            onChange(event.currentTarget.checked ? [...chosen, option] : chosen.filter((each) => each !== option))
          }
        />
      ))}
    </fieldset>
  );
}

/** The words of a kind that is chosen from a list. */
function listOf(field: Field, present: string, t: (key: Key) => string) {
  switch (field.kind) {
    case 'gender':
      return choices(GENDERS, t, present);
    case 'party_kind':
      return choices(PARTY_KINDS, t, present);
    case 'stage':
      return choices(STAGES, t, present);
    case 'language':
      return [...new Set([...Object.keys(LANGUAGES), present])]
        .filter(Boolean)
        .map((value) => ({ value, label: LANGUAGE_NAMES[value] ?? value }));
    case 'choice':
      return field.options.map((value) => ({ value, label: value }));
    case 'timezone':
      return Intl.supportedValuesOf('timeZone').map((value) => ({ value, label: value }));
    default:
      return null;
  }
}

/** The input that fits a field. */
export function FieldInput({ field, value, onChange }: FieldInputProps) {
  const { t } = useLocalisation();
  const text = value === null || Array.isArray(value) ? '' : String(value);
  const label = labelOf(field, t);
  const testId = `field-${field.name}`;
  if (field.kind === 'choices') return <ChoicesInput field={field} value={value} onChange={onChange} />;
  if (field.kind === 'customer')
    return <CustomerPicker label={label} chosen={text || null} kind="org" onChoose={onChange} testId={testId} />;
  if (field.kind === 'boolean') {
    const data = [
      { value: '', label: '' },
      { value: 'true', label: t('value.yes') },
      { value: 'false', label: t('value.no') },
    ];
    const choose = (chosen: string) => onChange(chosen === '' ? null : chosen === 'true');
    return (
      <NativeSelect label={label} value={text} onChange={(event) => choose(event.currentTarget.value)} data={data} />
    );
  }
  const list = listOf(field, text, t);
  if (list) {
    return (
      <NativeSelect
        label={label}
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
        data={field.isRequired ? list : [{ value: '', label: '' }, ...list]}
        data-testid={testId}
      />
    );
  }
  if (field.kind === 'long_text') {
    return (
      <Textarea
        label={label}
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
        maxLength={1_000}
        autosize
        minRows={2}
        data-testid={testId}
      />
    );
  }
  return (
    <TextInput
      label={label}
      value={text}
      onChange={(event) => onChange(event.currentTarget.value)}
      type={field.kind === 'date' ? 'date' : 'text'}
      inputMode={field.kind === 'integer' ? 'numeric' : field.kind === 'number' ? 'decimal' : undefined}
      required={field.isRequired}
      maxLength={field.name === 'region_code' ? 2 : 200}
      autoComplete="off"
      data-testid={testId}
    />
  );
}
