import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useId, useState, type KeyboardEvent } from 'react';
import { searchCustomers, type CustomerSummary } from '../api/customers';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { CustomerLink } from './customer-link';
import classes from './customers.module.css';

/** Milliseconds after the last key press at which a search starts. */
const SEARCH_AFTER = 200;
const SHOWN = 8;

interface CustomerPickerProps {
  readonly label: string;
  readonly chosen: string | null;
  /** Only persons, or only organisations. */
  readonly kind?: 'person' | 'org';
  /** A customer that makes no sense here, such as the one that is edited. */
  readonly except?: string;
  readonly onChoose: (customerId: string | null) => void;
  readonly testId?: string;
}

/** Finding one customer by any part of its name or number, with the keyboard alone (APG combobox with a list). */
export function CustomerPicker({ label, chosen, kind, except, onChoose, testId }: CustomerPickerProps) {
  const { t } = useLocalisation();
  const id = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const [query] = useDebouncedValue(text.trim(), SEARCH_AFTER);
  const found = useFetched(query, async (signal) =>
    query === '' ? [] : (await searchCustomers(query, null, signal)).items,
  );
  if (chosen !== null) {
    return (
      <div className={classes.picked}>
        <span className={classes.pickedLabel}>{label}</span>
        <CustomerLink customerId={chosen} />
        <Button size="compact-sm" variant="subtle" onClick={() => onChoose(null)}>
          {t('picker.another')}
        </Button>
      </div>
    );
  }
  const fitting = (each: CustomerSummary) => each.id !== except && (kind === undefined || each.kind === kind);
  const list = (found.value ?? []).filter(fitting).slice(0, SHOWN);
  const opened = query !== '' && text.trim() !== '';
  const choose = (customer: CustomerSummary | undefined) => {
    if (!customer) return;
    setText('');
    setActive(0);
    onChoose(customer.id);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || !opened) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && list.length > 0) setActive((active + step + list.length) % list.length);
    else if (event.key === 'Enter') choose(list[active]);
    else if (event.key === 'Escape') setText('');
    else return;
    event.preventDefault();
  };
  return (
    <div className={classes.picker}>
      <TextInput
        label={label}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        leftSection={<Icon name="search" />}
        role="combobox"
        aria-expanded={opened}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={opened && list[active] ? `${id}-${list[active].id}` : undefined}
        autoComplete="off"
        maxLength={100}
        data-testid={testId}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={label} hidden={!opened} className={classes.pickerList}>
        {list.map((customer, index) => (
          // The keyboard stays in the text field, which names the active option (aria-activedescendant).
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={customer.id}
            id={`${id}-${customer.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onClick={() => choose(customer)}
            data-testid="picker-option"
          >
            <strong>{customer.display_name}</strong> {customer.level && <span className="soft">{customer.level}</span>}
          </li>
        ))}
        {found.value && list.length === 0 && <li className="soft">{t('customers.none')}</li>}
      </ul>
    </div>
  );
}
