"""`callcenter init`: the files of a new installation."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def init(
        number: Annotated[str, typer.Option(help="The company's number, with + and country code.")],
        folder: Annotated[Path, typer.Argument(help="Where the files go.")] = Path(),
        company: Annotated[str, typer.Option(help="As callers hear it and the console shows it.")] = "Our company",
        address: Annotated[
            str, typer.Option(help="This machine's address for phones and browsers; this machine only by default.")
        ] = "127.0.0.1",
        time_zone: Annotated[str, typer.Option(help="Of opening hours and reports, such as Europe/Berlin.")] = "UTC",
        trunk: Annotated[
            str | None, typer.Option(help="Address or network that the carrier's calls come from.")
        ] = None,
    ) -> None:
        """Write a new installation's files: one queue, one flow, an administrator and a first agent."""
        from callcenter.site.beginning import begin

        made = begin(folder, company=company, number=number, address=address, time_zone=time_zone, trunk=trunk)
        typer.echo(f"Written: {made.config}, and beside it site.toml and flows/main.toml.\n")
        typer.echo("Passwords, shown this once:")
        for login, password in made.passwords.items():
            typer.echo(f"  {login:<8} {password}")
        typer.echo(f"\nStart it:  callcenter serve --config {made.config}")
        typer.echo(f"Console:   http://{address}:8000/")
        if trunk is None:
            typer.echo("No carrier yet: calls from outside are refused until [[trunks]] in site.toml names one.")
