"""`callcenter replay`: run a journal through a new engine and compare every decision."""

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("replay")
    def replay_command(
        journal: Annotated[Path, typer.Argument(help="The journal, such as var/journal.sqlite.")],
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Run a journal through a new routing engine; exit code 1 when a decision or a state differs."""
        from callcenter.journal import JournalReader
        from callcenter.replay import replay

        if not journal.exists():
            raise typer.BadParameter(f"{journal} does not exist")
        found = replay(JournalReader(journal).read())
        if as_json:
            typer.echo(json.dumps({name: getattr(found, name) for name in found.__dataclass_fields__}))
        else:
            typer.echo(f"{found.inputs} inputs, {found.outcomes} outcomes, {found.decisions} decisions compared")
            for divergence in found.divergences:
                typer.echo(f"differs: {divergence}", err=True)
            typer.echo(f"digest {found.digest}")
        raise typer.Exit(1 if found.divergences else 0)
