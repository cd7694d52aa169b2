"""`callcenter maintain`: the store's daily run, now."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("maintain")
    def maintain_command(
        config: Annotated[Path, typer.Option("--config", "-c", help="The installation's callcenter.toml.")] = Path(
            "callcenter.toml"
        ),
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Apply the level rules and let go what is older than its rule. The web process does it daily by itself."""
        from callcenter.config import load_settings
        from crm_bridge.database import Database, migrate
        from crm_bridge.maintenance import maintain

        async def run(url: str) -> dict[str, int]:
            await migrate(url)
            database = Database(url)
            try:
                return dict(await maintain(database, now=datetime.now(UTC)))
            finally:
                await database.close()

        report = asyncio.run(run(load_settings(config).store_url))
        if as_json:
            typer.echo(json.dumps(report))
        else:
            for name, count in report.items():
                typer.echo(f"{name:20} {count}")
