import { Icon } from '../icons';
import classes from './record.module.css';

/** Why something came to nothing, beside what was asked for; it has been said aloud already. */
export function Problem({ text }: { readonly text: string | null }) {
  if (!text) return null;
  return (
    <p className={`${classes.problem} tone-bad`} data-testid="problem">
      <Icon name="warning" /> {text}
    </p>
  );
}
