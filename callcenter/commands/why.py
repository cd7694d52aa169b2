"""`callcenter why`: what happened to a contact, and why each agent was rung."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from acd.outcomes import OfferContact
from callcenter.entries import KIND_OF
from callcenter.journal import JournalReader, JournalRow

HIDDEN_FIELDS = {"call_id", "contact_id", "at", "record", "engine", "counts", "decision", "notes"}


def story(rows: list[JournalRow]) -> Iterator[str]:
    """One line for each entry about the contact; a decision says who won and who came second."""
    for row in rows:
        at = datetime.fromtimestamp(row.at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
        fields = {
            name: getattr(row.entry, name) for name in row.entry.__dataclass_fields__ if name not in HIDDEN_FIELDS
        }
        shown = "  ".join(f"{name}={value}" for name, value in fields.items() if value not in (None, "", ()))
        yield f"{at}  {KIND_OF[type(row.entry)]:<24} {shown}"
        if isinstance(row.entry, OfferContact):
            why = row.entry.decision
            second = f"; second was {why.runner_up} with {why.runner_up_key}" if why.runner_up else ""
            yield f"{'':14}because: {why.rule}, {why.candidates} candidates, best key {why.winner_key}{second}"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("why")
    def why_command(
        contact: Annotated[str, typer.Argument(help="The contact's id, as consoles and the timeline show it.")],
        journal: Annotated[Path, typer.Option(help="The journal.")] = Path("var/journal.sqlite"),
    ) -> None:
        """Tell a contact's story: its facts, and for each offer why this agent."""
        rows = JournalReader(journal).about(contact)
        if not rows:
            typer.echo(f"{journal} knows no contact {contact}", err=True)
            raise typer.Exit(1)
        for line in story(rows):
            typer.echo(line)
