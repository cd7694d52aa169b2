"""`callcenter audit`: recount a journal with independent code."""

import json
from typing import Annotated

import typer

from callcenter.commands.arguments import JournalFile


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("audit")
    def audit_command(
        journal: JournalFile,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Recount a journal from its raw entries; exit code 1 when a promise of the product was broken."""
        from callcenter.audit.recount import audit
        from callcenter.journal import JournalReader

        report = audit(JournalReader(journal).read())
        if as_json:
            typer.echo(json.dumps({name: getattr(report, name) for name in report.__dataclass_fields__}))
        else:
            typer.echo(f"{report.calls} calls, {report.in_progress} of them in progress; {report.offers} offers")
            for outcome, count in report.outcomes.items():
                typer.echo(f"{count:>8}  {outcome}")
            for breach in report.breaches:
                typer.echo(breach, err=True)
            typer.echo("no breach" if not report.breaches else f"{len(report.breaches)} breaches")
        raise typer.Exit(1 if report.breaches else 0)
