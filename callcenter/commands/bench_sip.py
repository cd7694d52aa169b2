"""`callcenter bench sip`: what this machine carries."""

import json
from dataclasses import asdict
from typing import Annotated

import typer


def register(bench: typer.Typer) -> None:
    """Add the command to the group of measurements."""

    @bench.command("sip")
    def bench_sip_command(
        rate: Annotated[float, typer.Option(min=1, help="Calls begun each second.")] = 100.0,
        calls: Annotated[int, typer.Option(min=10, help="Calls in all.")] = 1_000,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Bridge calls from a trunk to a phone through the SIP front end, without media and routing, and measure."""
        from callcenter.sip.measuring import measure

        figures = asdict(measure(rate=rate, calls=calls))
        if as_json:
            typer.echo(json.dumps(figures))
        else:
            for name, value in figures.items():
                typer.echo(f"{name:20} {value}")
