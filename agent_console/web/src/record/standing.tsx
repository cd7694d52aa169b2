import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { may } from '../api/permissions';
import { changesOf, levels, putLevel, putOwner, putTags, type CustomerRecord } from '../api/record';
import { ownersOf } from '../api/owners';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { LevelBadge } from '../customers/level-badge';
import { Icon } from '../icons';
import { useSignedIn } from '../session/session';
import { ChangeLine } from './changes';
import { Newer } from './newer';
import { Problem } from './problem';
import { useAction } from './problems';
import { useVersionedSave } from './versioned-save';
import { WhyKnown } from './why-known';
import { said } from './words';
import classes from './record.module.css';

/** Why somebody came to look after a customer, or stopped to. Own words show as they are. */
const REASONS: Readonly<Partial<Record<string, Key>>> = {
  claim: 'owner.because_claim',
  'take-over': 'owner.because_take_over',
  release: 'owner.because_release',
  offboarding: 'owner.because_offboarding',
  'claim granted': 'owner.because_claim_granted',
  erased: 'owner.because_erased',
};

interface StandingProps {
  readonly record: CustomerRecord;
  readonly mayEdit: boolean;
  readonly onSaved: (record: CustomerRecord) => void;
}

function LevelChoice({ record, onSaved, onClose }: Omit<StandingProps, 'mayEdit'> & { readonly onClose: () => void }) {
  const { t } = useLocalisation();
  const known = useFetched('levels', levels);
  const action = useAction();
  const [code, setCode] = useState(record.level ?? '');
  const [reason, setReason] = useState('');
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const done = await action.run(async () =>
      onSaved(await putLevel(record.id, { code: code || null, reason: reason.trim() || null })),
    );
    if (done) onClose();
  };
  const list = known.value?.map(({ code: value, name }) => ({ value, label: name })) ?? [];
  return (
    <form onSubmit={(event) => void save(event)} className={classes.inlineForm}>
      <NativeSelect
        label={t('level.title')}
        value={code}
        data={[{ value: '', label: t('level.by_rule') }, ...list]}
        onChange={(event) => setCode(event.currentTarget.value)}
        data-testid="choose-level"
      />
      <TextInput
        label={t('reason.label')}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        maxLength={200}
      />
      <Button type="submit" variant="light" loading={action.busy} data-testid="save-level">
        {t('action.save')}
      </Button>
      <Problem text={action.problem} />
    </form>
  );
}

function LevelPart({ record, onSaved }: StandingProps) {
  const { t } = useLocalisation();
  const { person } = useSignedIn();
  const [choosing, setChoosing] = useState(false);
  const history = useFetched(`${record.id} ${record.row_version}`, (signal) => changesOf(record.id, 'level', signal));
  return (
    <div className={classes.standing}>
      <dt>{t('level.title')}</dt>
      <dd>
        {record.level ? <LevelBadge level={record.level_badge} code={record.level} /> : t('value.none')}{' '}
        {record.profile.level_is_manual && <span className="soft">{t('level.manual')}</span>}
        {may(person, 'assign') && (
          <Button size="compact-sm" variant="subtle" onClick={() => setChoosing(!choosing)} aria-expanded={choosing}>
            {t('action.change')}
          </Button>
        )}
        {choosing && <LevelChoice record={record} onSaved={onSaved} onClose={() => setChoosing(false)} />}
        {history.value && history.value.length > 0 && (
          <details className={classes.more} data-testid="level-history">
            <summary>{t('level.history')}</summary>
            <ol className={classes.rows}>
              {history.value.map((change) => (
                <li key={change.id}>
                  <ChangeLine change={change} />
                </li>
              ))}
            </ol>
          </details>
        )}
      </dd>
    </div>
  );
}

function OwnerPart({ record, mayEdit, onSaved }: StandingProps) {
  const { t } = useLocalisation();
  const { person } = useSignedIn();
  const action = useAction();
  const owner = record.profile.owner_id;
  const give = (user_id: string | null, take_over: boolean) =>
    void action.run(async () => onSaved(await putOwner(record.id, { user_id, take_over, reason: null })));
  const mine = owner === person.user_id;
  return (
    <div className={classes.standing}>
      <dt>{t('owner.title')}</dt>
      <dd data-testid="owner">
        {owner === null ? <span className="soft">{t('owner.nobody')}</span> : mine ? t('owner.you') : owner}
        {mayEdit && owner === null && (
          <Button
            size="compact-sm"
            variant="subtle"
            loading={action.busy}
            onClick={() => give(person.user_id, false)}
            data-testid="claim-owner"
          >
            {t('owner.claim')}
          </Button>
        )}
        {owner !== null && !mine && may(person, 'assign') && (
          <Button size="compact-sm" variant="subtle" loading={action.busy} onClick={() => give(person.user_id, true)}>
            {t('owner.take_over')}
          </Button>
        )}
        {owner !== null && may(person, 'assign') && (
          <Button size="compact-sm" variant="subtle" loading={action.busy} onClick={() => give(null, true)}>
            {t('owner.release')}
          </Button>
        )}
        {owner !== null && !mine && mayEdit && !may(person, 'assign') && (
          <Button
            size="compact-sm"
            variant="subtle"
            loading={action.busy}
            onClick={() => give(person.user_id, false)}
            data-testid="claim-owned"
          >
            {t('owner.claim')}
          </Button>
        )}
        <Problem text={action.problem} />
        <OwnerHistory customerId={record.id} version={record.row_version} />
      </dd>
    </div>
  );
}

/** Who looked after the customer before, read when somebody wants to know. */
function OwnerHistory({ customerId, version }: { readonly customerId: string; readonly version: number }) {
  const { t, format } = useLocalisation();
  const [opened, setOpened] = useState(false);
  const found = useFetched(`${customerId} ${version} ${opened}`, (signal) =>
    opened ? ownersOf(customerId, signal) : Promise.resolve([]),
  );
  const word = (reason: string | null) => (reason === null ? '' : said(REASONS, reason, t));
  return (
    <details className={classes.more} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary data-testid="owner-history">{t('owner.history')}</summary>
      {found.value?.length === 0 && opened && <p className="soft">{t('owner.history_none')}</p>}
      <ol className={classes.rows}>
        {(found.value ?? []).map((each) => (
          <li key={`${each.line_of_business} ${each.since_at} ${each.user_id}`} data-testid="owned">
            {each.user_id}
            {each.line_of_business !== 'general' && ` (${each.line_of_business})`}
            <br />
            <span className="soft">
              {format.day(each.since_at)} {word(each.reason)}
              {each.until_at && ` – ${format.day(each.until_at)} ${word(each.end_reason)}`}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}

function TagsPart({ record, mayEdit, onSaved }: StandingProps) {
  const { t } = useLocalisation();
  const saving = useVersionedSave(record.id, onSaved);
  const [text, setText] = useState('');
  const words = record.tags.map(({ tag }) => tag);
  /** Adding or taking one tag fits every version of the list. */
  const change = (fit: (tags: CustomerRecord['tags']) => CustomerRecord['tags']) => {
    const edit = (present: CustomerRecord) => (version: number) => putTags(record.id, fit(present.tags), version);
    return saving.save(record.row_version, edit(record), (newer) => edit(newer));
  };
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const tag = text.trim();
    if (tag && (await change((tags) => [...tags.filter((each) => each.tag !== tag), { tag, expires_at: null }])))
      setText('');
  };
  return (
    <div className={classes.standing}>
      <dt>{t('tags.title')}</dt>
      <dd>
        <ul className={classes.tags} aria-label={t('tags.title')}>
          {words.map((tag) => (
            <li key={tag} className="pill tone-quiet" data-testid="tag">
              {tag}
              {mayEdit && (
                <button
                  type="button"
                  className={classes.tagRemove}
                  aria-label={t('tags.remove', { tag })}
                  onClick={() => void change((tags) => tags.filter((each) => each.tag !== tag))}
                >
                  <Icon name="close" size={14} />
                </button>
              )}
            </li>
          ))}
        </ul>
        {mayEdit && (
          <form onSubmit={(event) => void add(event)} className={classes.tagForm}>
            <TextInput
              size="sm"
              aria-label={t('tags.new')}
              placeholder={t('tags.new')}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              maxLength={64}
              data-testid="new-tag"
            />
            <Button type="submit" size="sm" variant="subtle" loading={saving.busy} disabled={text.trim() === ''}>
              {t('action.add')}
            </Button>
          </form>
        )}
        <Problem text={saving.problem} />
        <Newer save={saving} onSaved={onSaved} />
      </dd>
    </div>
  );
}

/** How the customer stands to us: level, owner and tags. */
export function Standing(props: StandingProps) {
  const { t } = useLocalisation();
  return (
    <section aria-label={t('standing.title')} className={classes.stack}>
      <div className={classes.withWhy}>
        <h3 className={classes.subheading}>{t('standing.title')}</h3>
        <WhyKnown customerId={props.record.id} about={t('standing.title')} fields={['level', 'owner', 'tags']} />
      </div>
      <dl className={classes.standings}>
        <LevelPart {...props} />
        <OwnerPart {...props} />
        <TagsPart {...props} />
      </dl>
    </section>
  );
}
