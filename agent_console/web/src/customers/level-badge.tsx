import type { Level } from '../api/record';
import classes from './customers.module.css';

/** A level at a glance: the installation's colour as a mark beside its name, so that the text keeps its contrast. */
export function LevelBadge({ level }: { readonly level: Pick<Level, 'name' | 'colour'> }) {
  return (
    <span className={`pill tone-quiet ${classes.level}`} data-testid="level-badge">
      <span className={classes.levelMark} style={{ background: level.colour }} aria-hidden="true" />
      {level.name}
    </span>
  );
}
