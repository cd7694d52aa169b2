"""`callcenter bench media`: what the media processes of this machine carry."""

import json
from dataclasses import asdict
from typing import Annotated

import typer


def register(bench: typer.Typer) -> None:
    """Add the command to the group of measurements."""

    @bench.command("media")
    def bench_media_command(
        relayed: Annotated[int, typer.Option(min=0, max=2_000, help="Calls of two parties.")] = 200,
        mixed: Annotated[int, typer.Option(min=0, max=2_000, help="Calls through the mixer.")] = 150,
        recorded: Annotated[int, typer.Option(min=0, max=2_000, help="Calls that are recorded.")] = 200,
        waiting: Annotated[int, typer.Option(min=0, max=2_000, help="Callers who wait with music.")] = 500,
        browsers: Annotated[int, typer.Option(min=0, max=500, help="Agents with a browser for a phone.")] = 75,
        seconds: Annotated[float, typer.Option(min=1, max=600, help="Seconds of each kind.")] = 4.0,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Send speech through one RTP worker and time what comes out; needs both cores of a quiet machine."""
        from callcenter.media.measuring import measure

        figures = asdict(
            measure(
                relayed=relayed, mixed=mixed, recorded=recorded, waiting=waiting, browsers=browsers, seconds=seconds
            )
        )
        if as_json:
            typer.echo(json.dumps(figures))
        else:
            for name, value in figures.items():
                typer.echo(f"{name:22} {value}")
