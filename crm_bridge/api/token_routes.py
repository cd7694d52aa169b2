"""Routes of the tokens by which programs come in. For administrators; a token cannot make tokens."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from crm_bridge.api.idempotency import keep_no_answer
from crm_bridge.api.ports import Principal, Surroundings, item_id_of
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.schemas import Id, In, Out
from crm_bridge.api_tokens import LONGEST_DAYS, NewToken, create_token, revoke_token, tokens
from crm_bridge.errors import InvalidField, ItemNotFound, TokenNameTaken
from crm_bridge.permissions import Permission

Scope = Literal["read", "write", "import"]


class TokenIn(In):
    """A token to be made."""

    name: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}$", description="In the audit log it is `token:NAME`.")
    ]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS, description="How long it lives.")] = 365


class TokenOut(Out):
    """A token, without the token."""

    id: Id
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


class MadeTokenOut(TokenOut):
    """A token that was just made. `token` is told here and never again."""

    token: str


def token_routes(given: Surroundings) -> APIRouter:
    """The routes."""
    router = routes_about("tokens")
    keeper = Depends(given.allowed(Permission.TOKENS))

    @router.get("/tokens", responses=responses())
    async def list_tokens(principal: Annotated[Principal, keeper]) -> list[TokenOut]:
        """All tokens, also those that are over, the newest first. `last_used_at` is exact to a minute."""
        async with given.reading(principal) as session:
            return [TokenOut.model_validate(each) for each in await tokens(session)]

    @router.post("/tokens", status_code=201, responses=responses(InvalidField, TokenNameTaken))
    async def post_token(body: TokenIn, principal: Annotated[Principal, keeper]) -> MadeTokenOut:
        """Make a token. The answer is the only place where it ever stands: the same request sent again with its
        idempotency key gets 409 `already-done`."""
        keep_no_answer()
        new = NewToken(body.name, body.scopes, body.days)
        async with given.writing(principal) as session:
            row, token = await create_token(session, new, actor_id=principal.user_id, now=given.now())
            return MadeTokenOut(**TokenOut.model_validate(row).model_dump(), token=token)

    @router.delete("/tokens/{token_id}", responses=responses(ItemNotFound))
    async def delete_token(
        token_id: Annotated[str, Path(description="Id of a token.")], principal: Annotated[Principal, keeper]
    ) -> TokenOut:
        """End a token at once and for good; it stays in the list."""
        async with given.writing(principal) as session:
            row = await revoke_token(session, item_id_of(token_id), actor_id=principal.user_id, now=given.now())
            return TokenOut.model_validate(row)

    return router
