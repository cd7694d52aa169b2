"""The parts of a record that are lists: numbers and addresses, preferences, tags, relations, identities, files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.changes import Editing, note_change, touch
from crm_bridge.customers import demote, get_customer, write_search_text
from crm_bridge.errors import IdentityTaken, InvalidField, ItemNotFound
from crm_bridge.identity_numbers import stored_form
from crm_bridge.ids import new_id
from crm_bridge.models import (
    Attachment,
    AttachmentContent,
    ContactPoint,
    ContactPreference,
    Customer,
    CustomerTag,
    ExternalIdentity,
    PhoneLookup,
    Relation,
    TimelineEvent,
)
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.vocabulary import ContactUsage, CustomerStatus, PreferenceSource, TimelineKind

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_TAGS = 50
IN_STORE = "in-store"
"""The storage key of a file whose bytes lie in the store itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """One way to reach a customer for a purpose; its place in the list is its rank."""

    purpose: str
    channel: str
    language: str | None = None
    from_minute: int | None = None
    to_minute: int | None = None
    weekdays: tuple[str, ...] = ()
    source: PreferenceSource | None = None
    """Where it is known from; without it, what is written already stays, and what is new was noticed here."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A word, with its end when it must not stay for ever."""

    tag: str
    expires_at: datetime | None = None


async def set_preferences(
    session: AsyncSession, customer: Customer, wanted: Sequence[Preference], editing: Editing
) -> None:
    """Replace the preferences; for each purpose the first is the favourite. What stays as it is keeps its source and
    date. Raises ``InvalidField``."""
    if len({(each.purpose, each.channel) for each in wanted}) < len(wanted):
        raise InvalidField("a channel stands twice for one purpose", where="body.preferences")
    for index, each in enumerate(wanted):
        if not set(each.weekdays) <= set(WEEKDAYS):
            raise InvalidField("weekdays are mon to sun", where=f"body.preferences.{index}.weekdays")
    here = ContactPreference.customer_id == customer.id
    present = (await session.scalars(select(ContactPreference).where(here).order_by(ContactPreference.rank))).all()
    before = [f"{each.purpose}:{each.channel}" for each in present]
    noted = {_told(row): (row.source, row.noted_at) for row in present}
    await session.execute(delete(ContactPreference).where(here))
    ranks: dict[str, int] = {}
    for each in wanted:
        rank = ranks[each.purpose] = ranks.get(each.purpose, 0) + 1
        source, noted_at = noted.get(_told(each), (PreferenceSource.AGENT, editing.now))
        if each.source is not None and each.source != source:
            source, noted_at = each.source, editing.now
        session.add(
            ContactPreference(
                customer_id=customer.id,
                purpose=each.purpose,
                channel=each.channel,
                rank=rank,
                language=each.language,
                from_minute=each.from_minute,
                to_minute=each.to_minute,
                weekdays=list(each.weekdays),
                source=source,
                noted_at=noted_at,
            )
        )
    after = [f"{each.purpose}:{each.channel}" for each in wanted]
    if not note_change(session, customer, "preferences", before, after, editing):
        touch(customer, editing)
    await session.flush()


async def set_tags(session: AsyncSession, customer: Customer, wanted: Sequence[Tag], editing: Editing) -> None:
    """Replace the tags. Raises ``InvalidField``."""
    by_word = {each.tag.strip().casefold(): each for each in wanted}
    if "" in by_word or len(by_word) > MAX_TAGS:
        raise InvalidField("tags are words, fifty at most", where="body.tags")
    here = CustomerTag.customer_id == customer.id
    present = {row.tag: row for row in await session.scalars(select(CustomerTag).where(here))}
    for word in present.keys() - by_word.keys():
        await session.delete(present[word])
    for word, each in by_word.items():
        if word in present:
            present[word].expires_at = each.expires_at
            continue
        session.add(
            CustomerTag(
                customer_id=customer.id,
                tag=word,
                added_at=editing.now,
                added_by=editing.actor_id,
                expires_at=each.expires_at,
            )
        )
    if not note_change(session, customer, "tags", sorted(present), sorted(by_word), editing):
        touch(customer, editing)
    await session.flush()


async def change_contact_point(
    session: AsyncSession,
    customer: Customer,
    point_id: int,
    *,
    usage: ContactUsage | None,
    is_primary: bool,
    editing: Editing,
) -> ContactPoint:
    """Say what a number is for, or make it the primary one. Raises ``ItemNotFound``."""
    point = await _point(session, customer, point_id)
    if usage is not None and usage is not point.usage:
        note_change(session, customer, f"usage of {point.kind}", point.usage, usage, editing)
        point.usage = usage
    if is_primary and not point.is_primary:
        await demote(session, customer.id, point.kind)
        await session.refresh(point)
        point.is_primary = True
        await _rank_lookup(session, point)
        touch(customer, editing)
    await session.flush()
    return point


async def remove_contact_point(session: AsyncSession, customer: Customer, point_id: int, editing: Editing) -> None:
    """Take a number or address away; when it was the primary one, the oldest of its kind takes its place.

    Interactions stay the customer's: they happened. Raises ``ItemNotFound``.
    """
    point = await _point(session, customer, point_id)
    note_change(session, customer, str(point.kind), point.value_norm, None, editing)
    await session.delete(point)
    if point.phone_e164_int is not None:
        await session.execute(
            delete(PhoneLookup).where(
                PhoneLookup.phone_e164_int == point.phone_e164_int,
                PhoneLookup.tenant_id == DEFAULT_TENANT,
                PhoneLookup.customer_id == customer.id,
            )
        )
    await session.flush()
    if point.is_primary:
        same = select(ContactPoint).where(ContactPoint.customer_id == customer.id, ContactPoint.kind == point.kind)
        heir = await session.scalar(same.order_by(ContactPoint.id).limit(1))
        if heir is not None:
            heir.is_primary = True
            await _rank_lookup(session, heir)
    await write_search_text(session, customer)


async def add_relation(
    session: AsyncSession, customer: Customer, to_id: int, type_: str, note: str | None, editing: Editing
) -> Relation:
    """Relate two customers; the same twice changes the note. Raises ``CustomerNotFound`` and ``InvalidField``."""
    other = await get_customer(session, to_id)
    if other.id == customer.id or other.status is not CustomerStatus.ACTIVE:
        raise InvalidField("a relation needs another, active customer", where="body.to_id")
    here = (Relation.from_id == customer.id, Relation.to_id == to_id, Relation.type == type_)
    row = await session.scalar(select(Relation).where(*here))
    if row is None:
        row = Relation(id=new_id(), from_id=customer.id, to_id=to_id, type=type_)
        session.add(row)
        note_change(session, customer, "relation", None, f"{type_}:{to_id}", editing)
    row.note = note
    await session.flush()
    return row


async def remove_relation(session: AsyncSession, customer: Customer, relation_id: int, editing: Editing) -> None:
    """Take a relation away, from either end. Raises ``ItemNotFound``."""
    row = await session.get(Relation, relation_id)
    if row is None or customer.id not in (row.from_id, row.to_id):
        raise ItemNotFound("the customer has no such relation", where="path.relation_id")
    note_change(session, customer, "relation", f"{row.type}:{row.to_id}", None, editing)
    await session.delete(row)
    await session.flush()


async def add_identity(
    session: AsyncSession, customer: Customer, provider: str, external_id: str, editing: Editing
) -> ExternalIdentity:
    """Give the customer a member number or messaging id. Raises ``IdentityTaken`` when another one has it."""
    row = await find_identity(session, provider, external_id)
    if row is not None and row.customer_id != customer.id:
        raise IdentityTaken("another customer has this", where="body.external_id")
    if row is None:
        kept = await stored_form(session, provider, external_id, create=True)
        row = ExternalIdentity(id=new_id(), customer_id=customer.id, provider=provider, external_id=kept)
        session.add(row)
        note_change(session, customer, f"identity.{provider}", None, kept, editing)
        await session.flush()
    return row


async def find_identity(session: AsyncSession, provider: str, external_id: str) -> ExternalIdentity | None:
    """Who has this member number, messaging id or identity card."""
    kept = await stored_form(session, provider, external_id, create=False)
    row: ExternalIdentity | None = await session.scalar(
        select(ExternalIdentity).where(
            ExternalIdentity.tenant_id == DEFAULT_TENANT,
            ExternalIdentity.provider == provider,
            ExternalIdentity.external_id == kept,
        )
    )
    return row


async def add_attachment(session: AsyncSession, customer: Customer, editing: Editing, **described: Any) -> Attachment:
    """Write down a file: its name, type, size in bytes, SHA-256 and where its bytes lie."""
    row = Attachment(id=new_id(), customer_id=customer.id, author_id=editing.actor_id, **described)
    session.add_all(
        [
            row,
            TimelineEvent(
                customer_id=customer.id,
                at=editing.now,
                kind=TimelineKind.ATTACHMENT,
                ref_id=row.id,
                actor_id=editing.actor_id,
                actor_name=editing.actor_name,
            ),
        ]
    )
    await session.flush()
    return row


async def add_file(
    session: AsyncSession, customer: Customer, editing: Editing, *, file_name: str, media_type: str, content: bytes
) -> Attachment:
    """Keep a file: its bytes lie in the store, so that an erasure and a backup have them too."""
    row = await add_attachment(
        session,
        customer,
        editing,
        file_name=file_name,
        media_type=media_type,
        size_bytes=len(content),
        sha256=sha256(content).hexdigest(),
        storage_key=IN_STORE,
    )
    session.add(AttachmentContent(attachment_id=row.id, content=content))
    await session.flush()
    return row


async def file_of(session: AsyncSession, attachment_id: int) -> tuple[Attachment, bytes]:
    """A file and its bytes. Raises ``ItemNotFound``, also when its bytes lie elsewhere, and ``CustomerNotFound``."""
    row = await session.get(Attachment, attachment_id)
    content = await session.get(AttachmentContent, attachment_id)
    if row is None or content is None:
        raise ItemNotFound("there is no such file in the store", where="path.attachment_id")
    await get_customer(session, row.customer_id)
    return row, content.content


async def remove_attachment(session: AsyncSession, customer: Customer, attachment_id: int, editing: Editing) -> None:
    """Take a file away, with its bytes when they are here. Raises ``ItemNotFound``."""
    row = await session.get(Attachment, attachment_id)
    if row is None or row.customer_id != customer.id:
        raise ItemNotFound("the customer has no such file", where="path.attachment_id")
    note_change(session, customer, "attachment", row.file_name, None, editing)
    here = (TimelineEvent.kind == TimelineKind.ATTACHMENT, TimelineEvent.ref_id == row.id)
    await session.execute(delete(TimelineEvent).where(*here))
    await session.delete(row)
    await session.flush()


async def attachments_of(session: AsyncSession, customer_id: int) -> Sequence[Attachment]:
    """The customer's files, the newest first."""
    query = select(Attachment).where(Attachment.customer_id == customer_id).order_by(Attachment.id.desc())
    return (await session.scalars(query.limit(200))).all()


def _told(each: Preference | ContactPreference) -> tuple[object, ...]:
    """What a preference says, but for its place and where it is known from."""
    hours = (each.from_minute, each.to_minute, tuple(each.weekdays))
    return each.purpose, each.channel, each.language, *hours


async def _point(session: AsyncSession, customer: Customer, point_id: int) -> ContactPoint:
    point = await session.get(ContactPoint, point_id)
    if point is None or point.customer_id != customer.id:
        raise ItemNotFound("the customer has no such contact point", where="path.point_id")
    return point


async def _rank_lookup(session: AsyncSession, point: ContactPoint) -> None:
    if point.phone_e164_int is not None:
        lookup = await session.get(PhoneLookup, (point.phone_e164_int, point.tenant_id, point.customer_id))
        if lookup is not None:
            await session.refresh(lookup)
            lookup.rank = 0
    await session.flush()
