"""Routes of the customer record: reading all of it, editing its fields and its lists."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from crm_bridge.api.etags import IfMatch, expected_version
from crm_bridge.api.ports import (
    CustomerIdPath,
    Principal,
    Surroundings,
    customer_id_of,
    editing_by,
    item_id_of,
    named_id_of,
)
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.record_answers import record_out
from crm_bridge.api.record_schemas import (
    ContactPointPatch,
    CustomerPatch,
    IdentityIn,
    IdentityOut,
    LevelChoiceIn,
    PersonalPreferenceIn,
    PersonalPreferenceOut,
    PreferencesIn,
    RecordOut,
    RelationIn,
    RelationOut,
    TagsIn,
)
from crm_bridge.api.schemas import ChangeOut, Code, ContactPointOut, CustomerSummary
from crm_bridge.changes import changes_of
from crm_bridge.customers import get_customer
from crm_bridge.errors import (
    CustomerNotFound,
    EtagMismatch,
    EtagRequired,
    HierarchyLoop,
    IdentityTaken,
    InvalidField,
    ItemNotFound,
    StaleRow,
)
from crm_bridge.owners import BY_RULE, apply_level_rules, give_level
from crm_bridge.permissions import Permission
from crm_bridge.personal_preferences import add_preference, remove_preference
from crm_bridge.profiles import customer_as_seen, edit_customer, subsidiaries
from crm_bridge.record_parts import (
    Preference,
    Tag,
    add_identity,
    add_relation,
    change_contact_point,
    find_identity,
    remove_contact_point,
    remove_relation,
    set_preferences,
    set_tags,
)
from crm_bridge.vocabulary import SourceKind

PointIdPath = Annotated[str, Path(description="Id of a contact point.")]
PreferenceIdPath = Annotated[str, Path(description="Id of a personal preference.")]
RelationIdPath = Annotated[str, Path(description="Id of a relation.")]
_EDIT = (CustomerNotFound, EtagMismatch, EtagRequired, InvalidField, StaleRow)


def record_routes(given: Surroundings) -> APIRouter:
    """The routes."""
    router = routes_about("customer record")
    _record(router, given)
    _lists(router, given)
    _level(router, given)
    _tastes(router, given)
    _points(router, given)
    _relations(router, given)
    return router


def _record(router: APIRouter, given: Surroundings) -> None:
    reader, writer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.WRITE))

    @router.get("/customers/{customer_id}/record", responses=responses(CustomerNotFound))
    async def get_record(
        customer_id: CustomerIdPath, response: Response, principal: Annotated[Principal, reader]
    ) -> RecordOut:
        """Everything that is written about the customer, and how complete it is. `ETag` is its version."""
        async with given.reading(principal) as session:
            return await record_out(session, customer_id_of(customer_id), response)

    @router.patch("/customers/{customer_id}", responses=responses(*_EDIT, HierarchyLoop))
    async def edit(
        customer_id: CustomerIdPath,
        body: CustomerPatch,
        response: Response,
        principal: Annotated[Principal, writer],
        if_match: IfMatch = None,
    ) -> RecordOut:
        """Change the fields that are named; the level follows its rule. Needs `If-Match`."""
        changes = body.model_dump(exclude_unset=True)
        by = editing_by(given, principal, source=SourceKind.SELF if changes.pop("source", None) else None)
        if body.parent_id is not None:
            changes["parent_id"] = named_id_of(body.parent_id, "body.parent_id")
        async with given.writing(principal) as session:
            found, expected = customer_id_of(customer_id), expected_version(if_match)
            edited = await edit_customer(session, found, changes, expected=expected, editing=by)
            await apply_level_rules(session, [edited], editing_by(given, principal, BY_RULE))
            return await record_out(session, found, response)

    @router.get("/customers/{customer_id}/changes", responses=responses(CustomerNotFound))
    async def list_changes(
        customer_id: CustomerIdPath,
        principal: Annotated[Principal, reader],
        field: Annotated[str | None, Query(max_length=80, description="Only this field, such as `level`.")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> list[ChangeOut]:
        """What was changed, before and after, the latest first."""
        async with given.reading(principal) as session:
            customer = await get_customer(session, customer_id_of(customer_id))
            found = await changes_of(session, customer.id, field, limit)
        return [ChangeOut.model_validate(each) for each in found]


def _lists(router: APIRouter, given: Surroundings) -> None:
    writer = Depends(given.allowed(Permission.WRITE))

    @router.put("/customers/{customer_id}/preferences", responses=responses(*_EDIT))
    async def put_preferences(
        customer_id: CustomerIdPath,
        body: PreferencesIn,
        response: Response,
        principal: Annotated[Principal, writer],
        if_match: IfMatch = None,
    ) -> RecordOut:
        """Replace how the customer likes to be reached. Needs `If-Match`."""
        wanted = [Preference(**(each.model_dump() | {"weekdays": tuple(each.weekdays)})) for each in body.preferences]
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), expected_version(if_match))
            await set_preferences(session, customer, wanted, editing_by(given, principal))
            return await record_out(session, customer.id, response)

    @router.put("/customers/{customer_id}/tags", responses=responses(*_EDIT))
    async def put_tags(
        customer_id: CustomerIdPath,
        body: TagsIn,
        response: Response,
        principal: Annotated[Principal, writer],
        if_match: IfMatch = None,
    ) -> RecordOut:
        """Replace the tags; the level follows its rule. Needs `If-Match`."""
        wanted = [Tag(each.tag, each.expires_at) for each in body.tags]
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), expected_version(if_match))
            await set_tags(session, customer, wanted, editing_by(given, principal))
            await apply_level_rules(session, [customer], editing_by(given, principal, BY_RULE))
            return await record_out(session, customer.id, response)


def _level(router: APIRouter, given: Surroundings) -> None:
    assigner = Depends(given.allowed(Permission.ASSIGN))

    @router.put("/customers/{customer_id}/level", responses=responses(CustomerNotFound, ItemNotFound, StaleRow))
    async def put_level(
        customer_id: CustomerIdPath, body: LevelChoiceIn, response: Response, principal: Annotated[Principal, assigner]
    ) -> RecordOut:
        """Choose the level, or leave it to the rules."""
        async with given.writing(principal) as session:
            found = customer_id_of(customer_id)
            await give_level(session, found, body.code, editing_by(given, principal, body.reason))
            return await record_out(session, found, response)


def _tastes(router: APIRouter, given: Surroundings) -> None:
    writer = Depends(given.allowed(Permission.WRITE))
    path = "/customers/{customer_id}/personal-preferences"

    @router.post(path, status_code=201, responses=responses(CustomerNotFound, InvalidField))
    async def post_personal_preference(
        customer_id: CustomerIdPath, body: PersonalPreferenceIn, principal: Annotated[Principal, writer]
    ) -> PersonalPreferenceOut:
        """Remember a hobby, a present that pleased, how or when the customer likes to be spoken to. The same again gets
        the newer source and date."""
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), None)
            row = await add_preference(
                session,
                customer,
                body.kind,
                body.value,
                body.source,
                noted_at=body.noted_at,
                editing=editing_by(given, principal),
            )
            return PersonalPreferenceOut.model_validate(row)

    @router.delete(f"{path}/{{preference_id}}", status_code=204, responses=responses(CustomerNotFound, ItemNotFound))
    async def delete_personal_preference(
        customer_id: CustomerIdPath, preference_id: PreferenceIdPath, principal: Annotated[Principal, writer]
    ) -> None:
        """It does not hold any more."""
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), None)
            await remove_preference(session, customer, item_id_of(preference_id), editing_by(given, principal))


def _points(router: APIRouter, given: Surroundings) -> None:
    writer = Depends(given.allowed(Permission.WRITE))
    path = "/customers/{customer_id}/contact-points/{point_id}"

    @router.patch(path, responses=responses(CustomerNotFound, ItemNotFound, StaleRow))
    async def patch_point(
        customer_id: CustomerIdPath,
        point_id: PointIdPath,
        body: ContactPointPatch,
        principal: Annotated[Principal, writer],
    ) -> ContactPointOut:
        """Say what a number is for, or make it the primary one."""
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), None)
            point = await change_contact_point(
                session,
                customer,
                item_id_of(point_id),
                usage=body.usage,
                is_primary=bool(body.is_primary),
                editing=editing_by(given, principal),
            )
            return ContactPointOut.model_validate(point)

    @router.delete(path, status_code=204, responses=responses(CustomerNotFound, ItemNotFound, StaleRow))
    async def delete_point(
        customer_id: CustomerIdPath, point_id: PointIdPath, principal: Annotated[Principal, writer]
    ) -> None:
        """Take a number or address away. What happened under it stays the customer's."""
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), None)
            await remove_contact_point(session, customer, item_id_of(point_id), editing_by(given, principal))


def _relations(router: APIRouter, given: Surroundings) -> None:
    reader, writer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.WRITE))

    @router.post(
        "/customers/{customer_id}/relations", status_code=201, responses=responses(CustomerNotFound, InvalidField)
    )
    async def post_relation(
        customer_id: CustomerIdPath, body: RelationIn, principal: Annotated[Principal, writer]
    ) -> RelationOut:
        """Relate the customer to another one."""
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), None)
            row = await add_relation(
                session,
                customer,
                named_id_of(body.to_id, "body.to_id"),
                body.type,
                body.note,
                editing_by(given, principal),
            )
            return RelationOut.model_validate(row)

    @router.delete(
        "/customers/{customer_id}/relations/{relation_id}",
        status_code=204,
        responses=responses(CustomerNotFound, ItemNotFound),
    )
    async def delete_relation(
        customer_id: CustomerIdPath, relation_id: RelationIdPath, principal: Annotated[Principal, writer]
    ) -> None:
        """Take a relation away."""
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), None)
            await remove_relation(session, customer, item_id_of(relation_id), editing_by(given, principal))

    @router.get("/customers/{customer_id}/subsidiaries", responses=responses(CustomerNotFound))
    async def list_subsidiaries(
        customer_id: CustomerIdPath, principal: Annotated[Principal, reader]
    ) -> list[CustomerSummary]:
        """The organisations directly below, a hundred at most."""
        async with given.reading(principal) as session:
            customer = await get_customer(session, customer_id_of(customer_id))
            return [CustomerSummary.model_validate(each) for each in await subsidiaries(session, customer.id, 100)]

    @router.get("/customers/by-identity", responses=responses(CustomerNotFound))
    async def get_by_identity(
        provider: Code, external_id: Code, principal: Annotated[Principal, reader]
    ) -> CustomerSummary:
        """Who has this member number or messaging id."""
        async with given.reading(principal) as session:
            row = await find_identity(session, provider, external_id)
            if row is None:
                raise CustomerNotFound("nobody has this", where="query.external_id")
            return CustomerSummary.model_validate(await get_customer(session, row.customer_id))

    @router.post(
        "/customers/{customer_id}/identities",
        status_code=201,
        responses=responses(CustomerNotFound, IdentityTaken),
    )
    async def post_identity(
        customer_id: CustomerIdPath, body: IdentityIn, principal: Annotated[Principal, writer]
    ) -> IdentityOut:
        """Give the customer a member number, messaging id or key in another system."""
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), None)
            row = await add_identity(session, customer, body.provider, body.external_id, editing_by(given, principal))
            return IdentityOut.model_validate(row)
