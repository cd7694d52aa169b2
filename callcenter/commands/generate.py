"""`callcenter generate`: invented customers by the million."""

import asyncio
import json
from datetime import UTC, datetime
from time import perf_counter
from typing import Annotated

import typer

_TOLD_EVERY = 500_000


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("generate")
    def generate_command(
        customers: Annotated[int, typer.Option(min=1, help="How many.")] = 10_000,
        seed: Annotated[int, typer.Option(help="The same seed gives the same customers.")] = 1,
        database: Annotated[str, typer.Option(help="URL of the store.")] = "sqlite+aiosqlite:///var/store.sqlite",
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Enter invented customers into a store. Many in an empty one are one transaction: all are there, or none."""
        from crm_bridge.database import Database, migrate
        from crm_bridge.invented import enter_invented

        there = 0

        def tell(portion: int) -> None:
            nonlocal there
            there += portion
            if there % _TOLD_EVERY < portion:
                typer.echo(f"{there} of {customers}", err=True)

        async def enter() -> None:
            await migrate(database)
            store = Database(database)
            try:
                await enter_invented(store, count=customers, seed=seed, now=datetime.now(UTC), entered=tell)
            finally:
                await store.close()

        began = perf_counter()
        asyncio.run(enter())
        seconds = perf_counter() - began
        if as_json:
            typer.echo(json.dumps({"customers": customers, "seconds": round(seconds, 1)}))
        else:
            typer.echo(f"{customers} customers in {seconds:.1f} s")
