"""`callcenter token`: tokens by which programs use the API; made, listed, revoked."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from crm_bridge.models import ApiToken

CONFIG = Annotated[Path, typer.Option("--config", "-c", help="The installation's callcenter.toml.")]
DEFAULT = Path("callcenter.toml")
AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BY = "command line"


@dataclass(frozen=True, slots=True)
class _AtTheMachine:
    """Whoever may run commands on the machine, as the audit log names them."""

    user_id: str = BY


def register(app: typer.Typer) -> None:
    """Add the commands."""
    token = typer.Typer(name="token", help="Tokens by which programs use the API.", no_args_is_help=True)
    app.add_typer(token)

    @token.command("create")
    def create(
        name: Annotated[str, typer.Argument(help="Lower-case letters, digits, dots, hyphens; never used again.")],
        scope: Annotated[list[str], typer.Option(help="read, write, import; may be repeated.")] = ["read"],  # noqa: B006 - typer copies it
        days: Annotated[int, typer.Option(help="How long it lives.")] = 365,
        config: CONFIG = DEFAULT,
        as_json: AS_JSON = False,
    ) -> None:
        """Make a token and print it: the only time that it is told."""
        from crm_bridge.api_tokens import NewToken, create_token

        row, told = _with_store(
            config, lambda session: create_token(session, NewToken(name, scope, days), actor_id=BY, now=_now())
        )
        typer.echo(json.dumps({**_plain(row), "token": told}) if as_json else told)

    @token.command("list")
    def show(config: CONFIG = DEFAULT, as_json: AS_JSON = False) -> None:
        """All tokens, the newest first."""
        from crm_bridge.api_tokens import tokens

        rows = _with_store(config, tokens)
        if as_json:
            typer.echo(json.dumps([_plain(row) for row in rows]))
            return
        for row in rows:
            used = "never used" if row.last_used_at is None else f"last used {row.last_used_at:%Y-%m-%d %H:%M}Z"
            typer.echo(f"{row.name:32} {_state(row):16} {','.join(row.scopes):18} {used}")

    @token.command("revoke")
    def revoke(name: Annotated[str, typer.Argument(help="The token's name.")], config: CONFIG = DEFAULT) -> None:
        """End a token at once and for good."""
        from crm_bridge.api_tokens import revoke_named

        _with_store(config, lambda session: revoke_named(session, name, actor_id=BY, now=_now()))
        typer.echo(f"{name} is revoked")


def _now() -> datetime:
    return datetime.now(UTC)


def _state(row: "ApiToken") -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at <= _now() else f"to {row.expires_at:%Y-%m-%d}"


def _plain(row: "ApiToken") -> dict[str, Any]:
    instants = {name: getattr(row, name) for name in ("created_at", "expires_at", "last_used_at", "revoked_at")}
    told = {name: None if at is None else at.isoformat() for name, at in instants.items()}
    return {"name": row.name, "hint": row.hint, "scopes": row.scopes, "created_by": row.created_by, **told}


def _with_store(config: Path, work: "Callable[[AsyncSession], Awaitable[Any]]") -> Any:
    """Do something with the customer store."""
    from callcenter.config import load_settings
    from crm_bridge.audit import ASKING
    from crm_bridge.database import Database, migrate

    async def run(url: str) -> Any:
        await migrate(url)
        database = Database(url)
        try:
            async with database.begin() as session:
                session.info[ASKING] = _AtTheMachine()
                return await work(session)
        finally:
            await database.close()

    return asyncio.run(run(load_settings(config).store_url))
