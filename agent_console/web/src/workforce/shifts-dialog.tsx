import { Button, Modal } from '@mantine/core';
import { useState } from 'react';
import { bringIn, shiftsBetween, type Planned, type Shift } from '../api/shifts';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import floor from '../floor/floor.module.css';
import { useLocalisation } from '../i18n/context';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useLabels } from '../session/session';
import { useAnnouncer } from '../shell/announcer';
import { ACTIVITIES } from './activities';
import classes from '../stewardship/stewardship.module.css';

function today(): readonly [number, number] {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const next = new Date(midnight);
  next.setDate(next.getDate() + 1);
  return [midnight.getTime(), next.getTime()];
}

function Day({ shifts }: { readonly shifts: readonly Shift[] }) {
  const { t, format } = useLocalisation();
  const labels = useLabels();
  if (shifts.length === 0) return <p className="soft">{t('shifts.none')}</p>;
  return (
    <div className={floor.scroll}>
      <table className={floor.table}>
        <thead>
          <tr>
            <th scope="col">{t('floor.agent')}</th>
            <th scope="col">{t('shifts.activity')}</th>
            <th scope="col">{t('shifts.from')}</th>
            <th scope="col">{t('shifts.to')}</th>
            <th scope="col">{t('shifts.paid')}</th>
          </tr>
        </thead>
        <tbody>
          {shifts.map((shift) => (
            <tr key={`${shift.agent_id} ${shift.from}`} data-testid="shift">
              <td>{labels.agent(shift.agent_id)}</td>
              <td>{t(ACTIVITIES[shift.activity])}</td>
              <td>{format.dateTime(shift.from)}</td>
              <td>{format.dateTime(shift.to)}</td>
              <td>{t(shift.paid ? 'shifts.is_paid' : 'floor.nothing')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function BringIn({ onDone }: { readonly onDone: () => void }) {
  const { t, format } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [chosen, setChosen] = useState<{ readonly file: File; readonly plan: Planned } | null>(null);
  const look = (file: File) => action.run(async () => setChosen({ file, plan: await bringIn(file, true) }));
  const run = async () => {
    if (!chosen || !(await action.run(() => bringIn(chosen.file, false)))) return;
    announcer.status(t('shifts.done'));
    setChosen(null);
    onDone();
  };
  return (
    <div className={classes.stack}>
      <p className="soft">{t('shifts.lead')}</p>
      <label className={classes.file}>
        <span>{t('shifts.file')}</span>
        <input
          type="file"
          accept=".csv"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            event.currentTarget.value = ''; // so that the same file can be chosen again once it is mended
            setChosen(null);
            if (file) void look(file);
          }}
          data-testid="shifts-file"
        />
      </label>
      <Problem text={action.problem} />
      {chosen && (
        <>
          <p data-testid="shifts-preview">
            {t('shifts.preview', {
              name: chosen.file.name,
              shifts: format.number(chosen.plan.shifts),
              agents: format.number(chosen.plan.agents.length),
              from: format.dateTime(chosen.plan.from),
              to: format.dateTime(chosen.plan.to),
            })}
          </p>
          <div className={classes.buttons}>
            <Button loading={action.busy} onClick={() => void run()} data-testid="shifts-run">
              {t('shifts.run')}
            </Button>
            <Button variant="default" onClick={() => setChosen(null)}>
              {t('action.cancel')}
            </Button>
          </div>
        </>
      )}
    </div>
  );
}

/** The roster of today, and the way in for another one. */
export default function ShiftsDialog({ onClose }: { readonly onClose: () => void }) {
  const { t } = useLocalisation();
  const [[from, to]] = useState(today);
  const shifts = useFetched(`shifts ${from}`, (signal) => shiftsBetween(from, to, signal));
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('shifts.title')}
      size="xl"
      centered
      closeButtonProps={{ 'aria-label': t('action.close'), size: 36 }}
    >
      <div data-testid="shifts">
        <h2 className={floor.dialogHeading}>{t('shifts.bring_in')}</h2>
        <BringIn onDone={shifts.reload} />
        <h2 className={floor.dialogHeading}>{t('shifts.today')}</h2>
        {shifts.error && <LoadProblem onRetry={shifts.reload} />}
        {shifts.value && <Day shifts={shifts.value} />}
      </div>
    </Modal>
  );
}
