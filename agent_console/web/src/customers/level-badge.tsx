import type { Level } from '../api/record';
import classes from './customers.module.css';

interface LevelBadgeProps {
  readonly level: Pick<Level, 'name' | 'colour'> | null | undefined;
  /** The level's code, which stands for one that the installation has not described. */
  readonly code?: string | null | undefined;
}

/** A level at a glance: the installation's colour as a mark beside its name, so that the text keeps its contrast. */
export function LevelBadge({ level, code }: LevelBadgeProps) {
  if (!level && !code) return null;
  return (
    <span className={`pill tone-quiet ${classes.level}`} data-testid="level-badge">
      {level && <span className={classes.levelMark} style={{ background: level.colour }} aria-hidden="true" />}
      {level?.name ?? code}
    </span>
  );
}
