import { Button } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useAnnouncer } from '../shell/announcer';
import { labelOf } from './field-input';
import { FieldValue } from './field-value';
import type { Clash, Field } from './fields';
import classes from './record.module.css';

interface ClashChooserProps {
  readonly fields: readonly Field[];
  readonly clashes: readonly Clash[];
  /** Called with the names of the fields in which this person's value is to stand. */
  readonly onSettle: (mine: readonly string[]) => void;
  readonly onCancel: () => void;
}

/** Two people have changed the same fields: whose value stands is said field by field. */
export function ClashChooser({ fields, clashes, onSettle, onCancel }: ClashChooserProps) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const heading = useRef<HTMLHeadingElement>(null);
  const [mine, setMine] = useState<readonly string[]>([]);
  useEffect(() => {
    heading.current?.focus();
    announcer.alert(t('clash.lead'));
  }, [announcer, t]);
  const choose = (name: string, isMine: boolean) =>
    setMine((chosen) => (isMine ? [...chosen, name] : chosen.filter((each) => each !== name)));
  return (
    <section className={`${classes.clash} tone-attention`} data-testid="clash">
      <h3 ref={heading} tabIndex={-1}>
        <Icon name="warning" /> {t('clash.title')}
      </h3>
      <p className="soft">{t('clash.lead')}</p>
      {clashes.map((clash) => {
        const field = fields.find((each) => each.name === clash.name);
        if (!field) return null;
        const isMine = mine.includes(clash.name);
        return (
          <fieldset key={clash.name} className={classes.clashField}>
            <legend>{labelOf(field, t)}</legend>
            <label>
              <input
                type="radio"
                name={clash.name}
                checked={!isMine}
                onChange={() => choose(clash.name, false)}
                data-testid={`theirs-${clash.name}`}
              />
              <span>
                {t('clash.theirs')} <FieldValue field={field} value={clash.theirs} />
              </span>
            </label>
            <label>
              <input
                type="radio"
                name={clash.name}
                checked={isMine}
                onChange={() => choose(clash.name, true)}
                data-testid={`mine-${clash.name}`}
              />
              <span>
                {t('clash.mine')} <FieldValue field={field} value={clash.mine} />
              </span>
            </label>
          </fieldset>
        );
      })}
      <div className={classes.buttons}>
        <Button onClick={() => onSettle(mine)} data-testid="settle">
          {t('clash.settle')}
        </Button>
        <Button variant="default" onClick={onCancel}>
          {t('action.cancel')}
        </Button>
      </div>
    </section>
  );
}
