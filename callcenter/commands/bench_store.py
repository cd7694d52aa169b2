"""`callcenter bench store`: figures of the customer store on this machine."""

import asyncio
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer


def register(bench: typer.Typer) -> None:
    """Add the command to the group of measurements."""

    @bench.command("store")
    def bench_store_command(
        customers: Annotated[int, typer.Option(min=1000, help="Fill the store up to so many.")] = 20_000,
        database: Annotated[str, typer.Option(help="URL; without one, an SQLite file that is gone afterwards.")] = "",
        seed: Annotated[int, typer.Option(help="The same seed gives the same customers.")] = 1,
        records: Annotated[int, typer.Option(min=1, help="Interactions to write.")] = 10_000,
        lookups: Annotated[int, typer.Option(min=100, help="Numbers to look up.")] = 2_000,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Fill a store with invented customers and measure lookups, timelines, searches and writes."""
        from crm_bridge.measuring import measure

        with tempfile.TemporaryDirectory() as folder:
            url = database or f"sqlite+aiosqlite:///{Path(folder) / 'store.sqlite'}"
            given = measure(url, customers=customers, seed=seed, records=records, lookups=lookups)
            figures = asdict(asyncio.run(given))
        if as_json:
            typer.echo(json.dumps(figures))
        else:
            for name, value in figures.items():
                typer.echo(f"{name:20} {value}")
