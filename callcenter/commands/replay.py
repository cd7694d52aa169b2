"""`callcenter replay`: run a journal through a new engine and compare every decision."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.commands.arguments import JournalFile

if TYPE_CHECKING:
    from callcenter.day_figures import Figures


def compare_policies(journal: Path, policy: Path, *, as_json: bool) -> None:
    """Print the day as it was and as it would have been."""
    from callcenter.errors import JournalError
    from callcenter.journal import JournalReader
    from callcenter.site.repository import load_site
    from callcenter.site.rules import floor_configuration, service_targets
    from callcenter.what_if import live_again
    from callcenter.written_day import read_day

    site = load_site(policy)
    day = read_day(JournalReader(journal).read())
    if day.policy is None:
        raise JournalError(f"{journal} holds no floor")
    lives = {
        "recorded": day.recorded,
        "same policy": live_again(day, day.policy),
        "other": live_again(
            day, floor_configuration(site), site.queue_hours(), day.targets.over(service_targets(site))
        ),
    }
    table = {name: summary(figures) for name, figures in lives.items()}
    if as_json:
        typer.echo(json.dumps(table))
        return
    for queue in sorted({queue for each in table.values() for queue in each}):
        typer.echo(queue)
        names = next(iter(table.values()))["all"]
        typer.echo(f"  {'':<16}" + "".join(f"{name:>14}" for name in table))
        for name in names:
            cells = "".join(f"{each.get(queue, {}).get(name, 0):>14}" for each in table.values())
            typer.echo(f"  {name:<16}{cells}")


def summary(figures: "Figures") -> dict[str, dict[str, float]]:
    """The figures of each queue, of each channel where there are several, and of all together, rounded for people."""
    found = {}
    channels = [(f"channel {channel}", each) for channel, each in figures.channels.items()]
    for name, each in [*figures.queues.items(), *channels, ("all", figures.total())]:
        found[name] = {
            "offered": each.offered,
            "answered": each.answered,
            "abandoned": each.abandoned,
            "sent_away": each.sent_away,
            "rang_out": each.rang_out,
            "called_back": each.called_back,
            "service_level": round(each.service_level, 4),
            "asa_s": round(each.asa_ms / 1000, 1),
            "longest_wait_s": round(max(each.waits, default=0) / 1000, 1),
        }
    found["all"]["occupancy"] = round(figures.occupancy, 4)
    return found


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("replay")
    def replay_command(
        journal: JournalFile,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
        policy: Annotated[
            Path | None, typer.Option(help="Another site file: what would its queues and agents have made of the day?")
        ] = None,
    ) -> None:
        """Run a journal through a new routing engine; exit code 1 when a decision or a state differs.

        With --policy: the day as recorded, lived again by its own policy, and by the other, side by side.
        """
        from callcenter.journal import JournalReader
        from callcenter.replay import replay

        if policy is not None:
            compare_policies(journal, policy, as_json=as_json)
            return
        found = replay(JournalReader(journal).read())
        if as_json:
            typer.echo(json.dumps({name: getattr(found, name) for name in found.__dataclass_fields__}))
        else:
            typer.echo(f"{found.inputs} inputs, {found.outcomes} outcomes, {found.decisions} decisions compared")
            for divergence in found.divergences:
                typer.echo(f"differs: {divergence}", err=True)
            typer.echo(f"digest {found.digest}")
        raise typer.Exit(1 if found.divergences else 0)
