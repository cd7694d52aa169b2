import { Button, CloseButton } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { ownerClaims } from '../api/owners';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import { useConnection } from '../live/context';
import { useAnnouncer } from '../shell/announcer';
import { Banner } from '../shell/banner';
import { addressOf } from '../shell/route';
import classes from '../shell/shell.module.css';

/**
 * Two people want one customer, and it is for this person to decide: said as soon as it happens, and when the page is
 * opened, until somebody has decided or it was put away. What is put away comes back with the next claim.
 */
export default function ClaimsNotice() {
  const { t } = useLocalisation();
  const { listen } = useConnection();
  const announcer = useAnnouncer();
  const { value, reload } = useFetched('claims', ownerClaims);
  const [putAway, setPutAway] = useState<ReadonlySet<string>>(new Set());
  const announced = useRef(0);
  useEffect(
    () =>
      listen((frame) => {
        if (frame.type === 'claims.changed' || frame.type === 'welcome') reload();
      }),
    [listen, reload],
  );
  const waiting = (value ?? []).filter(({ id }) => !putAway.has(id));
  const count = waiting.length;
  const text = t.count('claim.waiting', count);
  useEffect(() => {
    if (count > announced.current) announcer.alert(text);
    announced.current = count;
  }, [announcer, count, text]);
  if (count === 0) return null;
  return (
    <Banner tone="tone-attention" icon="bell" testId="claims-wait">
      <span className={classes.bannerText}>{text}</span>
      <Button component="a" size="sm" href={addressOf({ page: 'collisions' })} data-testid="decide-claims">
        {t('claim.decide')}
      </Button>
      <CloseButton
        size={32}
        aria-label={t('action.close')}
        onClick={() => setPutAway(new Set((value ?? []).map(({ id }) => id)))}
      />
    </Banner>
  );
}
