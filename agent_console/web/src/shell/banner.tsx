import type { ReactNode } from 'react';
import { Icon, type IconName } from '../icons';
import classes from './shell.module.css';

interface BannerProps {
  readonly tone: string;
  readonly icon: IconName;
  readonly children: ReactNode;
  readonly testId: string;
}

/** A line over the full width, below the top bar. */
export function Banner({ tone, icon, children, testId }: BannerProps) {
  return (
    <div className={`${classes.banner} ${tone}`} data-testid={testId}>
      <Icon name={icon} size={20} />
      {children}
    </div>
  );
}
