"""Routes under ``/customers``."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.api.ports import (
    CursorQuery,
    CustomerIdPath,
    LimitQuery,
    Principal,
    Surroundings,
    cursor_of,
    customer_id_of,
    editing_by,
    encoded,
)
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.schemas import (
    CardOut,
    ContactPointIn,
    ContactPointOut,
    CustomerIn,
    CustomerOut,
    CustomerPage,
    CustomerSummary,
    EnteredOut,
    MatchOut,
    NoteIn,
    SuspectOut,
    TimelineItemOut,
    TimelinePage,
)
from crm_bridge.customers import NewContactPoint, NewCustomer, add_contact_point, contact_points_of
from crm_bridge.customers import get_customer as read_customer
from crm_bridge.duplicates import enter_customer, find_collisions, note_refusal
from crm_bridge.errors import (
    BadCursor,
    ContactPointExists,
    CustomerNotFound,
    DuplicateCustomer,
    InvalidContactPoint,
    InvalidField,
    WriteConflict,
)
from crm_bridge.matching import lookup_by_number, with_badges, without_hidden
from crm_bridge.models import Customer
from crm_bridge.owners import BY_RULE, apply_level_rules
from crm_bridge.permissions import Permission
from crm_bridge.screen_pop import load_card
from crm_bridge.search import search
from crm_bridge.timeline import Start, add_note, page
from crm_bridge.vocabulary import OnDuplicate

SearchQuery = Annotated[
    str, Query(max_length=100, description="Part of a name, first or last digits of a number, or start of an e-mail.")
]
OnDuplicateQuery = Annotated[OnDuplicate, Query(description="What to do when the customer seems to be there.")]
KindQuery = Annotated[str | None, Query(max_length=64, description="Only entries of this kind, such as `note`.")]
ChannelQuery = Annotated[str | None, Query(max_length=64, description="Only interactions by this channel.")]
NewerQuery = Annotated[str | None, Query(max_length=100, description="`previous_cursor` of a page: newer entries.")]
UntilQuery = Annotated[
    AwareDatetime | None, Query(description="Begin with the newest entry that is not later than this instant.")
]
ConversationsQuery = Annotated[
    bool, Query(description="Contacts that a customer was handed on in are one entry with its `parts`.")
]
WordsQuery = Annotated[
    str | None,
    Query(max_length=200, description="Only notes, wrap-up notes and transcripts with all of these words."),
]
NumberQuery = Annotated[str, Query(min_length=1, max_length=256, description="A number in any form, or a SIP URI.")]


def customer_routes(given: Surroundings) -> APIRouter:
    """The routes, for everybody who is signed in."""
    router = routes_about("customers")
    _collection(router, given)
    _one_customer(router, given)
    _history(router, given)
    return router


def _collection(router: APIRouter, given: Surroundings) -> None:
    reader, writer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.WRITE))

    @router.get("/customers", responses=responses(BadCursor))
    async def list_customers(
        principal: Annotated[Principal, reader], q: SearchQuery = "", cursor: CursorQuery = None, limit: LimitQuery = 50
    ) -> CustomerPage:
        """Active customers that `q` describes, the most recently created first; without `q` all, the last contacted
        first."""
        async with given.reading(principal) as session:
            found = await search(session, q, before=cursor_of(cursor), limit=limit)
        items = [CustomerSummary.model_validate(customer) for customer in found.items]
        return CustomerPage(items=items, next_cursor=encoded(found.next_cursor))

    @router.post(
        "/customers", status_code=201, responses=responses(InvalidContactPoint, DuplicateCustomer, WriteConflict)
    )
    async def create(
        body: CustomerIn, principal: Annotated[Principal, writer], on_duplicate: OnDuplicateQuery = OnDuplicate.WARN
    ) -> EnteredOut:
        """Enter a customer. Earlier interactions of its numbers that nobody else has become its own.

        `collisions` are customers who share a number or address with it.
        """
        new = _new_customer(body)
        entering: dict[str, Any] = {"region": given.region, "now": given.now(), "actor_id": principal.user_id}
        try:
            async with given.writing(principal) as session:
                customer, suspects = await enter_customer(session, new, on_duplicate=on_duplicate, **entering)
                await apply_level_rules(session, [customer], editing_by(given, principal, BY_RULE))
                entered = await _customer_out(session, customer)
        except DuplicateCustomer:
            async with given.writing(principal) as session:
                await note_refusal(session, new, **entering)
            raise
        collisions = [SuspectOut.model_validate(each) for each in suspects]
        return EnteredOut(**entered.model_dump(), collisions=collisions)

    @router.post("/customers/check", responses=responses(InvalidContactPoint))
    async def check(body: CustomerIn, principal: Annotated[Principal, writer]) -> list[SuspectOut]:
        """Who seems to be there already, and who looks after them, before the customer is entered. Writes nothing."""
        async with given.reading(principal) as session:
            found = await find_collisions(session, _new_customer(body), region=given.region)
            return [SuspectOut.model_validate(each) for each in found]

    @router.get("/customers/lookup", responses=responses())
    async def lookup(number: NumberQuery, principal: Annotated[Principal, reader]) -> MatchOut:
        """Who has this number: nobody, one, or several to choose from."""
        number = _with_plus(number)
        async with given.reading_soon(principal) as session:
            match = await lookup_by_number(session, number, region=given.region, own_numbers=given.own_numbers)
            return MatchOut.model_validate(await with_badges(session, await without_hidden(session, match)))


def _one_customer(router: APIRouter, given: Surroundings) -> None:
    reader, writer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.WRITE))

    @router.get("/customers/{customer_id}", responses=responses(CustomerNotFound))
    async def get_customer(customer_id: CustomerIdPath, principal: Annotated[Principal, reader]) -> CustomerOut:
        """One customer with all numbers and addresses."""
        async with given.reading(principal) as session:
            return await _customer_out(session, await read_customer(session, customer_id_of(customer_id)))

    @router.get("/customers/{customer_id}/card", responses=responses(CustomerNotFound))
    async def get_card(customer_id: CustomerIdPath, principal: Annotated[Principal, reader]) -> CardOut:
        """The screen pop: who it is, how to reach them, what happened last."""
        async with given.reading_soon(principal) as session:
            return CardOut.model_validate(await load_card(session, customer_id_of(customer_id), given.now()))

    @router.post(
        "/customers/{customer_id}/contact-points",
        status_code=201,
        responses=responses(CustomerNotFound, ContactPointExists, InvalidContactPoint, WriteConflict),
    )
    async def add_point(
        customer_id: CustomerIdPath, body: ContactPointIn, principal: Annotated[Principal, writer]
    ) -> ContactPointOut:
        """Add a number or address."""
        new = NewContactPoint(**body.model_dump())
        async with given.writing(principal) as session:
            point = await add_contact_point(session, customer_id_of(customer_id), new, region=given.region)
            customer = await read_customer(session, point.customer_id)
            await apply_level_rules(session, [customer], editing_by(given, principal, BY_RULE))
            return ContactPointOut.model_validate(point)


def _history(router: APIRouter, given: Surroundings) -> None:
    reader, writer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.WRITE))

    @router.get("/customers/{customer_id}/timeline", responses=responses(BadCursor, CustomerNotFound, InvalidField))
    async def get_timeline(
        customer_id: CustomerIdPath,
        principal: Annotated[Principal, reader],
        cursor: CursorQuery = None,
        newer: NewerQuery = None,
        until: UntilQuery = None,
        limit: LimitQuery = 50,
        kind: KindQuery = None,
        channel: ChannelQuery = None,
        conversations: ConversationsQuery = False,
        words: WordsQuery = None,
    ) -> TimelinePage:
        """Everything that happened with the customer, newest first; of one kind or one channel where asked.

        Begin with nothing, or jump to an instant by `until`. Go on to older entries by `cursor` (the `next_cursor` of a
        page), to newer ones by `newer` (its `previous_cursor`); at most one of the three. Each page costs the same.
        `words` are looked for in a thousand entries at a time, so a page may be empty and still lead on; of transcripts
        in those that you may read.
        """
        start = _start(cursor, newer, until)
        wanted: dict[str, Any] = {"kind": kind, "channel": channel, "conversations": conversations}
        wanted["words"] = words
        async with given.reading(principal) as session:
            found = await page(session, customer_id_of(customer_id), start=start, limit=limit, **wanted)
        items = [TimelineItemOut.model_validate(item) for item in found.items]
        cursors = {"next_cursor": encoded(found.next_cursor), "previous_cursor": encoded(found.previous_cursor)}
        return TimelinePage(items=items, **cursors)

    @router.post("/customers/{customer_id}/notes", status_code=201, responses=responses(CustomerNotFound))
    async def write_note(
        customer_id: CustomerIdPath, body: NoteIn, principal: Annotated[Principal, writer]
    ) -> TimelineItemOut:
        """Write a note into the timeline."""
        async with given.writing(principal) as session:
            item = await add_note(
                session,
                customer_id_of(customer_id),
                body.body,
                author_id=principal.user_id,
                author_name=principal.name,
                now=given.now(),
            )
        return TimelineItemOut.model_validate(item)


def _start(cursor: str | None, newer: str | None, until: datetime | None) -> Start:
    if sum(each is not None for each in (cursor, newer, until)) > 1:
        raise BadCursor("give one of cursor, newer and until: a page begins at one place", where="query")
    try:
        return Start(before=cursor_of(cursor), newer_than=cursor_of(newer), until=until and until.astimezone(UTC))
    except OverflowError as error:
        raise BadCursor("this instant is outside of all calendars", where="query.until") from error


def _new_customer(body: CustomerIn) -> NewCustomer:
    return NewCustomer(
        display_name=body.display_name,
        kind=body.kind,
        preferred_language=body.preferred_language,
        level=body.level,
        contact_points=tuple(NewContactPoint(**point.model_dump()) for point in body.contact_points),
        identities=tuple((each.provider, each.external_id) for each in body.identities),
    )


async def _customer_out(session: AsyncSession, customer: Customer) -> CustomerOut:
    points = [ContactPointOut.model_validate(point) for point in await contact_points_of(session, customer.id)]
    return CustomerOut(**CustomerSummary.model_validate(customer).model_dump(), contact_points=points)


def _with_plus(number: str) -> str:
    """A plus sign that was not escaped in the query arrives as a space."""
    return f"+{number[1:]}" if number.startswith(" ") and number[1:2].isdigit() else number
