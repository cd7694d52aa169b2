"""`callcenter report`: what happened in the queues and with the agents, worked out from the journal."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.commands.arguments import JournalFile

if TYPE_CHECKING:
    from callcenter.journal import JournalRow

ROWS_AT_ONCE = 10_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report_journal)


def report_journal(
    journal: JournalFile,
    start: Annotated[
        str | None, typer.Option("--from", help="First quarter hour: 2026-03-29 or 2026-03-29T08:15, in --time-zone.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Up to and without this quarter hour.")] = None,
    queue: Annotated[list[str] | None, typer.Option(help="Only this queue; may be repeated.")] = None,
    agent: Annotated[list[str] | None, typer.Option(help="Only this agent; may be repeated.")] = None,
    team: Annotated[str | None, typer.Option(help="Only the agents of this team and the queues they serve.")] = None,
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The callcenter.toml that --team is read from.")
    ] = Path("callcenter.toml"),
    by: Annotated[str, typer.Option(help="One line for each interval, day or total.")] = "total",
    time_zone: Annotated[str, typer.Option(help="Zone of --from, --to, days and what is shown.")] = "UTC",
    target: Annotated[
        list[str] | None,
        typer.Option(help="Seconds of the service level, not as the site promised: 30, sales=30, sales/message=7200."),
    ] = None,
    short_abandon: Annotated[float, typer.Option(min=0, help="Seconds before which leaving is a short abandon.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one row for each figure.")] = False,
) -> None:
    """Offered, answered and abandoned, service levels, waits and handle times of queues; times and offers of agents."""
    from callcenter.reporting import display
    from callcenter.reporting.asking import grain_of, rules_of, window_of, zone_of
    from callcenter.reporting.report import Wanted, report

    team_queues, team_agents = (frozenset(), frozenset()) if team is None else _team(team, config)
    try:
        zone = zone_of(time_zone)
        first, last = window_of(start, end, zone)
        wanted = Wanted(
            start=first,
            end=last,
            grain=grain_of(by),
            zone=zone,
            rules=rules_of(target or [], short_abandon),
            queues=team_queues | frozenset(queue or ()),
            agents=team_agents | frozenset(agent or ()),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    found = report(_rows(journal), wanted)
    if as_json:
        typer.echo(display.as_json(found))
    elif as_csv:
        typer.echo(display.as_csv(found), nl=False)
    else:
        _print_tables(display.tables(found))


def _print_tables(tables: object) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:  # a file or a pipe has no width of its own
        console = Console(width=140)
    console.print(tables)


def _team(team: str, config: Path) -> tuple[frozenset[str], frozenset[str]]:
    """The queues and the seats of a team."""
    from callcenter.config import load_settings
    from callcenter.site.repository import load_site

    members = load_site(load_settings(config).site).seats_of([team])
    if not members:
        raise typer.BadParameter(f"no agent of the site is in the team {team!r}")
    return frozenset(queue for each in members for queue in each.queues), frozenset(each.id for each in members)


def _rows(journal: Path) -> "Iterator[JournalRow]":
    """The journal, a part at a time."""
    from callcenter.journal import JournalReader

    reader, after = JournalReader(journal), 0
    while rows := reader.read(after=after, limit=ROWS_AT_ONCE):
        yield from rows
        after = rows[-1].seq
