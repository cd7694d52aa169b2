"""Making one customer of two, and two again.

A merge loses nothing: the merged customer stays as a row, everything that belonged to it is pointed at the survivor,
and each value that changed is written down. Undoing puts each value back that is still as the merge left it; what
people have changed since is theirs. What cannot move because the survivor has the same (a number, a tag, a relation)
stays with the merged customer, and is there again after undoing.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, and_, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.changes import Editing, touch
from crm_bridge.customers import get_customer, write_search_text
from crm_bridge.errors import CannotMerge, CannotUndo, InvalidField, ItemNotFound
from crm_bridge.ids import new_id
from crm_bridge.models import (
    Base,
    Customer,
    CustomerProfile,
    DuplicateCandidate,
    MergeEvent,
    MergeItem,
    SearchText,
    TimelineEvent,
)
from crm_bridge.models.base import from_micros, to_micros
from crm_bridge.profiles import OF_CUSTOMER, OF_PROFILE, own_profile
from crm_bridge.visibility import may_see
from crm_bridge.vocabulary import CustomerStatus, DuplicateState, TimelineKind

_ROWS_IN_A_STATEMENT = 1000
_CHOSEN = frozenset({*OF_CUSTOMER, *OF_PROFILE, "owner_id", "level"}) - {"kind"}


@dataclass(frozen=True, slots=True)
class _Move:
    """Rows that follow their customer: which column points at it, and what must not be there twice.

    ``unless_same`` are the columns that, with the customer, must stay unique; ``only_active`` restricts that to rows
    whose ``until_at`` is empty.
    """

    table: str
    column: str = "customer_id"
    unless_same: tuple[str, ...] = ()
    only_active: bool = False


_MOVES = (
    _Move("phone_lookup", unless_same=("phone_e164_int", "tenant_id")),
    _Move("contact_point", unless_same=("tenant_id", "kind", "value_norm")),
    _Move("interaction"),
    _Move("timeline_event"),
    _Move("note"),
    _Move("attachment"),
    _Move("promise"),
    _Move("consent"),
    _Move("customer_change"),
    _Move("access_entry"),
    _Move("external_identity"),
    _Move("ownership", unless_same=("line_of_business",), only_active=True),
    _Move("contact_preference", unless_same=("purpose", "channel")),
    _Move("personal_preference", unless_same=("kind", "value")),
    _Move("owner_claim", unless_same=("line_of_business", "claimant_id", "state")),
    _Move("customer_tag", unless_same=("tag",)),
    _Move("party_relationship", "from_id", unless_same=("to_id", "type")),
    _Move("party_relationship", "to_id", unless_same=("from_id", "type")),
    _Move("customer_profile", "parent_id"),
)


async def merge(
    session: AsyncSession,
    survivor_id: int,
    merged_id: int,
    editing: Editing,
    *,
    fields: frozenset[str] = frozenset(),
) -> MergeEvent:
    """Make ``merged_id`` part of ``survivor_id``; in ``fields`` the merged one's value is kept where it has one.

    Fields are those of the record, an installation's own as ``custom.code``. Raises ``CustomerNotFound``,
    ``CannotMerge`` and ``InvalidField``.
    """
    for name in fields:
        if name not in _CHOSEN and not name.startswith("custom."):
            raise InvalidField("there is no such field to choose", where="body.fields")
    if survivor_id == merged_id:
        raise CannotMerge("a customer cannot become part of itself", where="body.merged_id")
    survivor, merged = await get_customer(session, survivor_id), await get_customer(session, merged_id)
    if survivor.status is not CustomerStatus.ACTIVE or merged.status is not CustomerStatus.ACTIVE:
        raise CannotMerge("one of the two is no longer a customer of its own", where="body")
    if survivor.kind is not merged.kind:
        raise CannotMerge("a person cannot become part of an organisation", where="body.merged_id")
    event = MergeEvent(
        id=new_id(), survivor_id=survivor_id, merged_id=merged_id, at=editing.now, actor_id=editing.actor_id
    )
    session.add(event)
    await session.flush()
    diary = _Diary(session, event.id)
    await _join_profiles(session, diary, survivor_id, merged_id, fields)
    await _give_up_primaries(session, diary, survivor_id, merged_id)
    for move in _MOVES:
        await _move(session, diary, move, survivor_id, merged_id)
    await _decide_candidate(session, diary, survivor_id, merged_id)
    await _join_customers(diary, survivor, merged, fields)
    await diary.write()
    touch(survivor, editing)
    touch(merged, editing)
    session.add(_entry(survivor_id, TimelineKind.MERGED, event.id, editing))
    await _reindex(session, survivor, merged)
    return event


async def undo_merge(session: AsyncSession, merge_id: int, editing: Editing) -> MergeEvent:
    """Take a merge back. Raises ``ItemNotFound`` and ``CannotUndo``."""
    event = await session.get(MergeEvent, merge_id)
    if event is None or not await may_see(session, event.survivor_id):
        raise ItemNotFound("there is no such merge", where="path.merge_id")
    survivor = await session.get(Customer, event.survivor_id)
    merged = await session.get(Customer, event.merged_id)
    if event.undone_at is not None:
        raise CannotUndo("this merge has been taken back already", where="path.merge_id")
    if survivor is None or merged is None or merged.status is not CustomerStatus.MERGED:
        raise CannotUndo("one of the two has been erased", where="path.merge_id")
    if survivor.status is not CustomerStatus.ACTIVE:
        raise CannotUndo("the survivor has become part of another; take that merge back first", where="path.merge_id")
    items = await session.scalars(select(MergeItem).where(MergeItem.merge_id == merge_id).order_by(MergeItem.id.desc()))
    for item in items.all():
        await _put_back(session, item)
    event.undone_at, event.undone_by = editing.now, editing.actor_id
    await session.flush()
    for customer in (survivor, merged):
        await session.refresh(customer)
        touch(customer, editing)
    session.add(_entry(survivor.id, TimelineKind.MERGE_UNDONE, event.id, editing))
    await _reindex(session, survivor, merged)
    return event


class _Diary:
    """What a merge changes, in order; written in one go."""

    def __init__(self, session: AsyncSession, merge_id: int) -> None:
        self._session = session
        self._merge_id = merge_id
        self._items: list[dict[str, Any]] = []

    def note(self, table: str, key: dict[str, Any], column: str, old: Any, new: Any) -> None:
        """A value changed."""
        self._items.append(
            {
                "id": new_id(),
                "merge_id": self._merge_id,
                "table_name": table,
                "row_key": {name: _to_json(value) for name, value in key.items()},
                "column_name": column,
                "old_value": _to_json(old),
                "new_value": _to_json(new),
            }
        )

    async def write(self) -> None:
        """Into the store."""
        if self._items:
            await self._session.execute(insert(_table("merge_item")), self._items)


async def _move(session: AsyncSession, diary: _Diary, move: _Move, survivor_id: int, merged_id: int) -> None:
    table = _table(move.table)
    column = table.c[move.column]
    keys = list(table.primary_key.columns)
    query = select(*keys).where(column == merged_id)
    if move.unless_same:
        query = query.where(~_is_there(table, move, survivor_id))
    if move.table == "party_relationship":
        other = table.c.to_id if move.column == "from_id" else table.c.from_id
        query = query.where(other != survivor_id)
    if move.table == "customer_profile":
        query = query.where(table.c.customer_id != survivor_id)
    rows = (await session.execute(query)).all()
    if [each.name for each in keys] == ["id"]:
        await _move_plain(session, diary, table, move.column, [row[0] for row in rows], (merged_id, survivor_id))
        return
    for row in rows:
        key = dict(zip((each.name for each in keys), row, strict=True))
        here = and_(*(table.c[name] == value for name, value in key.items()))
        await session.execute(update(table).where(here).values({move.column: survivor_id}))
        moved = key | ({move.column: survivor_id} if move.column in key else {})
        diary.note(move.table, moved, move.column, merged_id, survivor_id)


async def _move_plain(
    session: AsyncSession, diary: _Diary, table: Table, column: str, row_ids: list[int], way: tuple[int, int]
) -> None:
    """Rows with an id of their own move by the thousand: a long history must not take a statement for each entry."""
    for start in range(0, len(row_ids), _ROWS_IN_A_STATEMENT):
        portion = row_ids[start : start + _ROWS_IN_A_STATEMENT]
        await session.execute(update(table).where(table.c.id.in_(portion)).values({column: way[1]}))
        for row_id in portion:
            diary.note(table.name, {"id": row_id}, column, *way)


def _is_there(table: Table, move: _Move, survivor_id: int) -> Any:
    """Whether the survivor has the same already."""
    theirs = table.alias("theirs")
    same = [theirs.c[name] == table.c[name] for name in move.unless_same]
    condition = exists().where(theirs.c[move.column] == survivor_id, *same)
    if move.only_active:
        active = exists().where(theirs.c[move.column] == survivor_id, theirs.c.until_at.is_(None), *same)
        return and_(table.c.until_at.is_(None), active)
    return condition


async def _give_up_primaries(session: AsyncSession, diary: _Diary, survivor_id: int, merged_id: int) -> None:
    """A kind has one primary number: the survivor's stays it."""
    table, lookup = _table("contact_point"), _table("phone_lookup")
    theirs = table.alias("theirs")
    taken = exists().where(theirs.c.customer_id == survivor_id, theirs.c.kind == table.c.kind, theirs.c.is_primary)
    rows = (
        await session.execute(select(table.c.id).where(table.c.customer_id == merged_id, table.c.is_primary, taken))
    ).all()
    for (row_id,) in rows:
        await session.execute(update(table).where(table.c.id == row_id).values(is_primary=False))
        diary.note("contact_point", {"id": row_id}, "is_primary", True, False)
    numbers = select(lookup.c.phone_e164_int, lookup.c.tenant_id).where(
        lookup.c.customer_id == merged_id, lookup.c["rank"] == 0
    )
    for number, tenant_id in (await session.execute(numbers)).all():
        key = {"phone_e164_int": number, "tenant_id": tenant_id, "customer_id": merged_id}
        here = and_(*(lookup.c[name] == value for name, value in key.items()))
        await session.execute(update(lookup).where(here).values(rank=1))
        diary.note("phone_lookup", key, "rank", 0, 1)


async def _join_profiles(
    session: AsyncSession, diary: _Diary, survivor_id: int, merged_id: int, fields: frozenset[str]
) -> None:
    """What the survivor's record does not say, or what was chosen, the merged one's may."""
    theirs = await session.get(CustomerProfile, merged_id)
    if theirs is None:
        return
    ours = await own_profile(session, survivor_id)
    key = {"customer_id": survivor_id}
    for name in (*OF_PROFILE, "owner_id"):
        old, new = getattr(ours, name), getattr(theirs, name)
        if (old in (None, "") or name in fields) and new not in (None, "", survivor_id, old):
            diary.note("customer_profile", key, name, old, new)
            setattr(ours, name, new)
    chosen = {code: value for code, value in theirs.custom.items() if f"custom.{code}" in fields}
    joined = theirs.custom | ours.custom | chosen
    if joined != ours.custom:
        diary.note("customer_profile", key, "custom", ours.custom, joined)
        ours.custom = joined
    await session.flush()


async def _decide_candidate(session: AsyncSession, diary: _Diary, survivor_id: int, merged_id: int) -> None:
    """The pair, if it was on the list, is decided about; undoing opens it again."""
    a_id, b_id = sorted((survivor_id, merged_id))
    pair = (DuplicateCandidate.a_id == a_id, DuplicateCandidate.b_id == b_id)
    row = await session.scalar(select(DuplicateCandidate).where(*pair))
    if row is not None:
        diary.note("duplicate_candidate", {"id": row.id}, "state", row.state.value, DuplicateState.MERGED.value)
        row.state = DuplicateState.MERGED
        await session.flush()


async def _join_customers(diary: _Diary, survivor: Customer, merged: Customer, fields: frozenset[str]) -> None:
    for name in ("display_name", "name_norm", "preferred_language", "level"):
        old, new = getattr(survivor, name), getattr(merged, name)
        is_chosen = ("display_name" if name == "name_norm" else name) in fields
        if (old is None or is_chosen) and new not in (None, old):
            diary.note("customer", {"id": survivor.id}, name, old, new)
            setattr(survivor, name, new)
    last = [each for each in (survivor.last_contact_at, merged.last_contact_at) if each is not None]
    if last and max(last) != survivor.last_contact_at:
        diary.note("customer", {"id": survivor.id}, "last_contact_at", survivor.last_contact_at, max(last))
        survivor.last_contact_at = max(last)
    diary.note("customer", {"id": merged.id}, "status", str(CustomerStatus.ACTIVE), str(CustomerStatus.MERGED))
    merged.status = CustomerStatus.MERGED


async def _put_back(session: AsyncSession, item: MergeItem) -> None:
    """Give one value back, when it is still what the merge made of it."""
    table = _table(item.table_name)
    column = table.c[item.column_name]
    here = [table.c[name] == _from_json(table.c[name], value) for name, value in item.row_key.items()]
    new, old = _from_json(column, item.new_value), _from_json(column, item.old_value)
    if item.column_name == "custom":
        present = await session.scalar(select(column).where(*here))
        if present != new:
            return
    else:
        here.append(column == new if new is not None else column.is_(None))
    await session.execute(update(table).where(*here).values({column.name: old}))


async def _reindex(session: AsyncSession, survivor: Customer, merged: Customer) -> None:
    await session.flush()
    await write_search_text(session, survivor)
    if merged.status is CustomerStatus.ACTIVE:
        await write_search_text(session, merged)
    else:
        await session.execute(delete(SearchText).where(SearchText.customer_id == merged.id))
    await session.flush()
    for each in session:  # rows were moved under the session's feet
        if not isinstance(each, Customer | MergeEvent):
            session.expire(each)


def _entry(customer_id: int, kind: TimelineKind, ref_id: int, editing: Editing) -> TimelineEvent:
    return TimelineEvent(
        customer_id=customer_id,
        at=editing.now,
        kind=kind,
        ref_id=ref_id,
        actor_id=editing.actor_id,
        actor_name=editing.actor_name,
    )


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _to_json(value: Any) -> Any:
    """A value as it lies in the diary: instants as microseconds, dates as text."""
    if isinstance(value, datetime):
        return to_micros(value)
    return value.isoformat() if isinstance(value, date) else value


def _from_json(column: Any, value: Any) -> Any:
    if value is None:
        return None
    if column.name == "last_contact_at":
        return from_micros(value)
    return date.fromisoformat(value) if column.name == "birth_date" else value
