import { Button } from '@mantine/core';
import { decideClaim, ownerClaims, type OwnerClaim } from '../api/owners';
import { useFetched } from '../api/use-fetched';
import { CustomerLink } from '../customers/customer-link';
import { useLocalisation } from '../i18n/context';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useAnnouncer } from '../shell/announcer';
import { LogTable, type Column } from './log-table';
import classes from './stewardship.module.css';

/** Two people want one customer: a team lead decides. */
export function Claims() {
  const { t, format } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const list = useFetched('claims', ownerClaims);
  const decide = (claim: OwnerClaim, decision: 'grant' | 'refuse') =>
    void action.run(async () => {
      await decideClaim(claim.id, decision);
      announcer.status(t('claim.decided'));
      list.reload();
    });
  const columns: readonly Column<OwnerClaim>[] = [
    { heading: 'audit.when', cell: ({ at }) => format.dateTime(at) },
    { heading: 'claim.customer', cell: ({ customer_id }) => <CustomerLink customerId={customer_id} /> },
    {
      heading: 'claim.owner',
      cell: ({ owner_id, line_of_business }) =>
        line_of_business === 'general' ? owner_id : `${owner_id} (${line_of_business})`,
    },
    { heading: 'claim.claimant', cell: ({ claimant_id }) => claimant_id },
    { heading: 'claim.reason', cell: ({ reason }) => reason ?? '' },
    {
      heading: 'claim.decision',
      cell: (claim) => (
        <span className={classes.buttons}>
          <Button
            size="compact-sm"
            loading={action.busy}
            onClick={() => decide(claim, 'grant')}
            data-testid="grant-claim"
          >
            {t('claim.grant', { who: claim.claimant_id })}
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            loading={action.busy}
            onClick={() => decide(claim, 'refuse')}
            data-testid="refuse-claim"
          >
            {t('claim.refuse', { who: claim.owner_id })}
          </Button>
        </span>
      ),
    },
  ];
  return (
    <section className={`panel ${classes.stack}`} aria-label={t('claim.title')}>
      <h1>{t('claim.title')}</h1>
      <p className="soft">{t('claim.about')}</p>
      <Problem text={action.problem} />
      <LogTable
        entries={{ ...list, items: list.value ?? [], loading: list.value === null }}
        columns={columns}
        keyOf={({ id }) => id}
        none="claim.none"
        rowTestId="claim-row"
      />
    </section>
  );
}
