"""Erasing a person, and giving them what we know about them.

After an erasure no byte of the person is left in the store's rows: names, numbers, addresses, notes, what agents wrote,
custom fields, consents. What remains is what the company did: that there was a contact, when, how long, by whom it was
handled. So every figure stays what it was. The numbers that must not be contacted stay suppressed, as digests.

A merged customer is the same person, so both ends of a merge are erased together. The receipt is signed with the
store's own key and can be checked later.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.audit import note
from crm_bridge.errors import CustomerNotFound, OnLegalHold
from crm_bridge.held import blank_reasons, is_held
from crm_bridge.held_erasures import keep_in_mind
from crm_bridge.ids import new_id
from crm_bridge.journal_erasures import ask_for
from crm_bridge.models import (
    AccessEntry,
    Attachment,
    Collision,
    Consent,
    ContactPoint,
    ContactPreference,
    Customer,
    CustomerChange,
    CustomerProfile,
    CustomerTag,
    DuplicateCandidate,
    ErasureReceipt,
    ExternalIdentity,
    HoursOverride,
    IdempotencyKey,
    Interaction,
    MergeEvent,
    MergeItem,
    Note,
    OwnerClaim,
    Ownership,
    PersonalPreference,
    PhoneLookup,
    Promise,
    Recording,
    Relation,
    SearchText,
    SurveyInvitation,
    SurveyResponse,
    TimelineEvent,
    Transcript,
    Voicemail,
    WrapUp,
)
from crm_bridge.models.base import to_micros
from crm_bridge.parties import PARTY
from crm_bridge.provenance import Known, known_of
from crm_bridge.recordings import release_of
from crm_bridge.secrets_of_store import RECEIPT_KEY, digest, is_digest_of, secret
from crm_bridge.transcripts import delete_of_customers
from crm_bridge.vocabulary import CustomerKind, CustomerStatus, TimelineKind
from crm_bridge.voicemails import blank_voicemails

_OWNED: tuple[type[Any], ...] = (
    ContactPoint,
    PhoneLookup,
    SearchText,
    CustomerProfile,
    CustomerTag,
    ContactPreference,
    PersonalPreference,
    ExternalIdentity,
    Consent,
    CustomerChange,
    Note,
    Attachment,
    Promise,
    OwnerClaim,
)
"""Rows that are about the person and nothing else."""
_GONE_FROM_TIMELINE = (
    TimelineKind.NOTE,
    TimelineKind.CHANGE,
    TimelineKind.CONSENT,
    TimelineKind.ATTACHMENT,
    TimelineKind.PROMISE,
    TimelineKind.PROMISE_SETTLED,
)
_OF_CONTACTS: tuple[type[Any], ...] = (WrapUp, Recording, Transcript, Voicemail)
"""What is kept with a contact."""
_OF_CALLS: tuple[type[Any], ...] = (SurveyResponse,)
"""What is kept with a call, whichever part of it was with the person."""
_OURS = frozenset({"tenant_id", "row_version", "journal_seq", "path"})
"""Columns that say nothing about a person."""
_KEYS_IN_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would take: rows by table."""

    customer_ids: tuple[int, ...]
    rows: dict[str, int]


async def preview_erasure(session: AsyncSession, customer_id: int) -> Preview:
    """What would be erased. Raises ``CustomerNotFound``."""
    ids = await same_person(session, customer_id)
    rows = {}
    for model in _OWNED:
        found = await session.scalars(select(model.customer_id).where(model.customer_id.in_(ids)))
        rows[model.__tablename__] = len(found.all())
    calls = await session.scalars(select(Interaction.id).where(Interaction.customer_id.in_(ids)))
    rows["interaction"] = len(calls.all())
    return Preview(tuple(ids), rows)


async def erase(
    session: AsyncSession, customer_id: int, *, legal_basis: str, actor_id: str | None, now: datetime
) -> ErasureReceipt:
    """Erase the person. Raises ``CustomerNotFound``, and ``OnLegalHold``."""
    ids = await same_person(session, customer_id)
    if await is_held(session, ids):
        raise OnLegalHold("the customer is on legal hold; lift it first", where="path.customer_id")
    preview = await preview_erasure(session, customer_id)
    await _forget_answers(session)
    await ask_for(session, Interaction.customer_id.in_(ids), customer_id, now)
    await _blank_interactions(session, ids, now)
    recordings, held = await release_of(session, ids, now=now)
    transcripts = await delete_of_customers(session, ids)
    await blank_voicemails(session, ids)
    await blank_reasons(session, ids)
    await session.execute(update(HoursOverride).where(HoursOverride.customer_id.in_(ids)).values(reason=""))
    await _forget_merges(session, ids)
    await session.execute(
        delete(TimelineEvent).where(TimelineEvent.customer_id.in_(ids), TimelineEvent.kind.in_(_GONE_FROM_TIMELINE))
    )
    await session.execute(delete(Relation).where(or_(Relation.from_id.in_(ids), Relation.to_id.in_(ids))))
    pair = or_(DuplicateCandidate.a_id.in_(ids), DuplicateCandidate.b_id.in_(ids))
    await session.execute(delete(DuplicateCandidate).where(pair))
    await session.execute(delete(Collision).where(Collision.existing_id.in_(ids)))
    await session.execute(update(AccessEntry).where(AccessEntry.customer_id.in_(ids)).values(purpose="erased"))
    await _end_ownerships(session, ids, now)
    for model in _OWNED:
        await session.execute(delete(model).where(model.customer_id.in_(ids)))
    blank = {"display_name": "", "name_norm": "", "preferred_language": None, "status": CustomerStatus.ERASED}
    await session.execute(update(Customer).where(Customer.id.in_(ids)).values(**blank, kind=CustomerKind.PERSON))
    note(session, "erase", "customer", str(customer_id))
    preview.rows.update(recording=recordings, recording_on_hold=len(held), transcript=transcripts)
    receipt = await _receipt(session, customer_id, preview, legal_basis, actor_id, now)
    await keep_in_mind(session, receipt, held)
    return receipt


async def is_genuine(session: AsyncSession, receipt: ErasureReceipt) -> bool:
    """Whether the store has signed this receipt as it is."""
    return is_digest_of(await secret(session, RECEIPT_KEY, create=False), _signed(receipt), receipt.signature)


async def same_person(session: AsyncSession, customer_id: int) -> list[int]:
    """The customer and everything that was ever merged with it. Raises ``CustomerNotFound``."""
    customer = await session.get(Customer, customer_id)
    if customer is None or customer.status is CustomerStatus.ERASED:
        raise CustomerNotFound("no customer has this id", where="path.customer_id")
    ids, fresh = {customer_id}, {customer_id}
    while fresh:
        rows = await session.execute(
            select(MergeEvent.survivor_id, MergeEvent.merged_id).where(
                MergeEvent.undone_at.is_(None),
                or_(MergeEvent.survivor_id.in_(fresh), MergeEvent.merged_id.in_(fresh)),
            )
        )
        fresh = {each for pair in rows for each in pair} - ids
        ids |= fresh
    return sorted(ids)


async def export_person(session: AsyncSession, customer_id: int) -> dict[str, list[dict[str, Any]]]:
    """Everything the store knows about a person, by table, ready for JSON. Raises ``CustomerNotFound``."""
    ids = await same_person(session, customer_id)
    told = {"customer": await _rows(session, Customer, Customer.id.in_(ids))}
    owned: tuple[type[Any], ...] = (*_OWNED, Interaction, AccessEntry)
    for model in owned:
        if model not in (PhoneLookup, SearchText):
            told[model.__tablename__] = await _rows(session, model, model.customer_id.in_(ids))
    related = or_(Relation.from_id.in_(ids), Relation.to_id.in_(ids))
    told["party_relationship"] = await _rows(session, Relation, related)
    for name, tables in (("contact_id", _OF_CONTACTS), ("call_id", _OF_CALLS)):
        told |= {model.__tablename__: [] for model in tables}
        keys = sorted({row[name] for row in told["interaction"]})
        for start in range(0, len(keys), _KEYS_IN_A_QUERY):
            portion = keys[start : start + _KEYS_IN_A_QUERY]
            for model in tables:
                told[model.__tablename__] += await _rows(session, model, getattr(model, name).in_(portion))
    told["provenance"] = [_plain_known(each) for each in await known_of(session, customer_id)]
    return told


def _plain_known(known: Known) -> dict[str, Any]:
    """Where one thing is from and why it is kept, which has to be told with the data (GDPR article 15(1))."""
    source, ground = known.source, known.ground
    told = {"field": known.field, "item_id": known.item_id, "kind": source.kind, "at": source.at}
    told |= {"by": source.actor_id, "contact_id": source.contact_id, "file_name": source.file_name}
    told |= {"legal_basis": ground.legal_basis, "purpose": ground.purpose}
    return {name: _plain(value) for name, value in told.items()}


async def _rows(session: AsyncSession, model: type[Any], condition: Any) -> list[dict[str, Any]]:
    columns = [column for column in model.__table__.columns if column.name not in _OURS]
    rows = await session.execute(select(*columns).where(condition))
    return [{name: _plain(value) for name, value in row.items()} for row in rows.mappings()]


def _plain(value: Any) -> Any:
    """Ids of 64 bits and instants as text, the rest as JSON has it."""
    if isinstance(value, bool) or value is None or isinstance(value, str | list | dict | float):
        return value
    if isinstance(value, int):
        return str(value) if abs(value) >= 2**53 else value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


async def _blank_interactions(session: AsyncSession, ids: Sequence[int], now: datetime) -> None:
    """Who it was goes; that it was, when, how long and by whom it was handled stays. Nobody is asked about it now."""
    over = {"person_digest": None, "address_digest": None, "give_up_at": now, "expires_at": now}
    theirs = Interaction.customer_id.in_(ids)
    contacts = (await session.scalars(select(Interaction.contact_id).where(theirs))).all()
    for start in range(0, len(contacts), _KEYS_IN_A_QUERY):
        portion = contacts[start : start + _KEYS_IN_A_QUERY]
        await session.execute(update(WrapUp).where(WrapUp.contact_id.in_(portion)).values(notes=""))
    calls = (await session.scalars(select(Interaction.call_id).where(theirs).distinct())).all()
    for start in range(0, len(calls), _KEYS_IN_A_QUERY):
        portion = calls[start : start + _KEYS_IN_A_QUERY]
        await session.execute(update(SurveyResponse).where(SurveyResponse.call_id.in_(portion)).values(comment=None))
        await session.execute(update(SurveyInvitation).where(SurveyInvitation.call_id.in_(portion)).values(over))
    for direction, party in PARTY.items():
        here = (theirs, Interaction.direction == direction)
        await session.execute(update(Interaction).where(*here).values(**party))


async def _end_ownerships(session: AsyncSession, ids: Sequence[int], now: datetime) -> None:
    """Who looked after the customer, and when, stays; why was said in words that may name the person."""
    theirs = update(Ownership).where(Ownership.customer_id.in_(ids))
    await session.execute(theirs.where(Ownership.until_at.is_(None)).values(until_at=now))
    await session.execute(theirs.values(reason="erased", end_reason="erased"))


async def _forget_merges(session: AsyncSession, ids: Sequence[int]) -> None:
    """What a merge wrote down holds old values; a merge of erased customers cannot be taken back anyway."""
    events = select(MergeEvent.id).where(or_(MergeEvent.survivor_id.in_(ids), MergeEvent.merged_id.in_(ids)))
    await session.execute(delete(MergeItem).where(MergeItem.merge_id.in_(events)))


async def _forget_answers(session: AsyncSession) -> None:
    """Answers that are kept for repeated requests may be about the person. All go: a repetition is told that it was
    done, and nothing is doubled."""
    await session.execute(update(IdempotencyKey).values(status=None, answer=None))


async def _receipt(
    session: AsyncSession, customer_id: int, preview: Preview, legal_basis: str, actor_id: str | None, now: datetime
) -> ErasureReceipt:
    receipt = ErasureReceipt(
        id=new_id(),
        customer_id=customer_id,
        at=now,
        actor_id=actor_id,
        legal_basis=legal_basis,
        erased={"customers": len(preview.customer_ids), **preview.rows},
    )
    receipt.signature = digest(await secret(session, RECEIPT_KEY, create=True), _signed(receipt))
    session.add(receipt)
    await session.flush()
    return receipt


def _signed(receipt: ErasureReceipt) -> str:
    told = [
        receipt.id, receipt.customer_id, to_micros(receipt.at), receipt.actor_id, receipt.legal_basis, receipt.erased
    ]  # fmt: skip
    return json.dumps(told, sort_keys=True, separators=(",", ":"))
