"""Routes of what an installation defines: custom fields and customer levels."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from crm_bridge.api.ports import Principal, Surroundings
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.record_schemas import FieldIn, FieldOut, LevelDefinitionIn, LevelOut
from crm_bridge.catalogue import define_field, define_level, field_definitions, levels
from crm_bridge.custom_fields import FieldDefinition
from crm_bridge.errors import InvalidField
from crm_bridge.permissions import Permission

CodePath = Annotated[str, Path(max_length=48, description="Lower-case letters, digits and underscores.")]


def catalogue_routes(given: Surroundings) -> APIRouter:
    """The routes."""
    router = routes_about("catalogue")
    reader, definer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.DEFINE))

    @router.get("/custom-fields", responses=responses())
    async def list_fields(principal: Annotated[Principal, reader]) -> list[FieldOut]:
        """The fields that this installation has added."""
        async with given.reading(principal) as session:
            return [FieldOut.model_validate(each) for each in (await field_definitions(session)).values()]

    @router.put("/custom-fields/{code}", responses=responses(InvalidField))
    async def put_field(code: CodePath, body: FieldIn, principal: Annotated[Principal, definer]) -> FieldOut:
        """Add a field, or change one whose type stays."""
        field = FieldDefinition(code=code, **(body.model_dump() | {"options": tuple(body.options)}))
        async with given.writing(principal) as session:
            return FieldOut.model_validate(await define_field(session, field))

    @router.get("/levels", responses=responses())
    async def list_levels(principal: Annotated[Principal, reader]) -> list[LevelOut]:
        """The customer levels, the highest first."""
        async with given.reading(principal) as session:
            return [LevelOut.model_validate(each) for each in await levels(session)]

    @router.put("/levels/{code}", responses=responses(InvalidField))
    async def put_level_definition(
        code: CodePath, body: LevelDefinitionIn, principal: Annotated[Principal, definer]
    ) -> LevelOut:
        """Add a level, or change one."""
        async with given.writing(principal) as session:
            row = await define_level(session, code, name=body.name, rank=body.rank, colour=body.colour, rule=body.rule)
            return LevelOut.model_validate(row)

    return router
