import { Button, Modal, NativeSelect, Textarea } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { appraisal, giveScore, type Appraisal, type Criterion, type QualityForm, type Score } from '../api/appraisals';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import floor from '../floor/floor.module.css';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useAnnouncer } from '../shell/announcer';
import classes from '../stewardship/stewardship.module.css';

const NOT_APPLICABLE = 'none';

function useLabelled() {
  const { language } = useLocalisation();
  return ({ id, labels }: Pick<Criterion, 'id' | 'labels'>) => labels[language] ?? labels.en ?? id;
}

function Answer({ found }: { readonly found: Appraisal }) {
  const { t, format } = useLocalisation();
  if (!found.answer) return <p className="soft">{t(found.asked ? 'appraisal.no_answer' : 'appraisal.not_asked')}</p>;
  const { kind, score, at } = found.answer;
  return (
    <p data-testid="survey-answer">
      <strong>{t(kind === 'csat' ? 'appraisal.csat_of' : 'appraisal.nps_of', { score: format.number(score) })}</strong>{' '}
      <time className="soft" dateTime={new Date(at).toISOString()}>
        {format.dateTime(at)}
      </time>
    </p>
  );
}

function Given({ score, form }: { readonly score: Score; readonly form: QualityForm | null }) {
  const { t, format } = useLocalisation();
  const labelled = useLabelled();
  const named = (id: string) => {
    const criterion = form?.criteria.find((each) => each.id === id);
    return criterion ? labelled(criterion) : id;
  };
  return (
    <li className={classes.stack} data-testid="score">
      <div className={classes.headingRow}>
        <span className={`pill ${score.is_fatal ? 'tone-bad' : 'tone-good'}`}>
          <Icon name={score.is_fatal ? 'warning' : 'check'} size={16} /> {format.percent(score.score / 100)}
          {score.is_fatal && ` · ${t('appraisal.fatal')}`}
        </span>
        <span className="soft">{[score.by, format.dateTime(score.at)].join(' · ')}</span>
      </div>
      <ul>
        {score.marks.map(({ criterion, points }) => (
          <li key={criterion}>
            {named(criterion)}: {points === null ? t('appraisal.not_applicable') : format.number(points)}
          </li>
        ))}
      </ul>
      {score.notes && <p>{score.notes}</p>}
    </li>
  );
}

interface FormProps {
  readonly contactId: string;
  readonly form: QualityForm;
  readonly onGiven: () => void;
}

function ScoreForm({ contactId, form, onGiven }: FormProps) {
  const { t, format } = useLocalisation();
  const labelled = useLabelled();
  const announcer = useAnnouncer();
  const action = useAction();
  const [marks, setMarks] = useState<Readonly<Record<string, string>>>({});
  const [notes, setNotes] = useState('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const given = form.criteria.map(({ id }) => ({
      criterion: id,
      points: marks[id] === NOT_APPLICABLE ? null : Number(marks[id]),
    }));
    if (!(await action.run(() => giveScore(contactId, form.id, given, notes.trim())))) return;
    announcer.status(t('appraisal.given'));
    setMarks({});
    setNotes('');
    onGiven();
  };
  return (
    <form className={classes.stack} onSubmit={(event) => void submit(event)} data-testid="score-form">
      {form.criteria.map((criterion) => (
        <NativeSelect
          key={criterion.id}
          label={labelled(criterion)}
          description={[
            t('appraisal.weight', { weight: format.number(criterion.weight) }),
            ...(criterion.fatal ? [t('appraisal.is_fatal')] : []),
          ].join(' · ')}
          required
          value={marks[criterion.id] ?? ''}
          data={[
            { value: '', label: t('appraisal.choose') },
            ...Array.from({ length: criterion.most + 1 }, (_, points) => ({
              value: String(criterion.most - points),
              label: t('appraisal.points', {
                points: format.number(criterion.most - points),
                most: format.number(criterion.most),
              }),
            })),
            ...(criterion.may_not_apply ? [{ value: NOT_APPLICABLE, label: t('appraisal.not_applicable') }] : []),
          ]}
          onChange={({ currentTarget: { value } }) => setMarks((before) => ({ ...before, [criterion.id]: value }))}
          data-testid={`mark-${criterion.id}`}
        />
      ))}
      <Textarea
        label={t('appraisal.notes')}
        value={notes}
        maxLength={2000}
        autosize
        minRows={2}
        onChange={(event) => setNotes(event.currentTarget.value)}
        data-testid="score-notes"
      />
      <Problem text={action.problem} />
      <div className={classes.buttons}>
        <Button type="submit" loading={action.busy} data-testid="give-score">
          {t('appraisal.give')}
        </Button>
      </div>
    </form>
  );
}

interface AppraisalDialogProps {
  readonly contactId: string;
  readonly onClose: () => void;
}

/** What the customer and the supervisors said of a conversation, and for those who lead its agent the form. */
export default function AppraisalDialog({ contactId, onClose }: AppraisalDialogProps) {
  const { t } = useLocalisation();
  const labelled = useLabelled();
  const found = useFetched(`appraisal ${contactId}`, (signal) => appraisal(contactId, signal));
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('appraisal.title')}
      size="lg"
      centered
      closeButtonProps={{ 'aria-label': t('action.close'), size: 36 }}
    >
      <div data-testid="appraisal">
        {found.error && <LoadProblem onRetry={found.reload} />}
        {found.value && (
          <>
            <h2 className={floor.dialogHeading}>{t('appraisal.customer')}</h2>
            <Answer found={found.value} />
            <h2 className={floor.dialogHeading}>{t('appraisal.scores')}</h2>
            {found.value.scores.length === 0 && <p className="soft">{t('appraisal.none')}</p>}
            <ol className={classes.rows}>
              {found.value.scores.map((score) => (
                <Given key={`${score.at} ${score.by}`} score={score} form={found.value?.form ?? null} />
              ))}
            </ol>
            {found.value.form && (
              <>
                <h2 className={floor.dialogHeading}>{labelled(found.value.form)}</h2>
                <ScoreForm contactId={contactId} form={found.value.form} onGiven={found.reload} />
              </>
            )}
          </>
        )}
      </div>
    </Modal>
  );
}
