"""``callcenter staffing``: how many agents, as a table."""

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("staffing")(staff)


def staff(
    arrivals_per_hour: Annotated[
        str | None, typer.Option(help="Arrivals of each interval, separated by commas: 120,180,240.")
    ] = None,
    aht: Annotated[float | None, typer.Option(min=0, help="Mean handle time in seconds, wrap-up included.")] = None,
    patience: Annotated[float | None, typer.Option(min=0, help="Mean patience in seconds; left out: for ever.")] = None,
    service_level: Annotated[float | None, typer.Option(min=0, max=1, help="Share answered within --target.")] = 0.8,
    target: Annotated[float, typer.Option(min=0, help="Seconds within which the service level counts.")] = 20.0,
    asa: Annotated[float | None, typer.Option(min=0, help="Longest mean wait in seconds.")] = None,
    abandonment: Annotated[float | None, typer.Option(min=0, max=1, help="Largest share that gives up.")] = None,
    occupancy: Annotated[float | None, typer.Option(min=0, max=1, help="Largest share of time with contacts.")] = None,
    shrinkage: Annotated[float, typer.Option(min=0, max=0.99, help="Share of paid time not at work.")] = 0.0,
    shrinkage_of: Annotated[
        Path | None, typer.Option(help="Take the shrinkage that this journal measured against its rosters, instead.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="First day of --shrinkage-of, in UTC.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Up to and without this day.")] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="Size the groups of this TOML scenario by simulation, instead.")
    ] = None,
    calls: Annotated[int, typer.Option(min=100, help="Contacts measured in each simulated trial.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same customers.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """The smallest number of agents that meets the targets: exact Erlang formulas, or simulation for several skills."""
    from acd.simulator_scenario import ScenarioError
    from acd.staffing import Targets

    targets = Targets(service_level, target, asa, abandonment, occupancy)
    try:
        if shrinkage_of is not None:
            shrinkage = measured_shrinkage(shrinkage_of, since, until)
        if scenario is not None:
            rows = [_by_simulation(scenario, targets, calls, seed, shrinkage)]
        else:
            rows = _by_formula(arrivals_per_hour, aht, patience, targets, shrinkage)
    except ValueError as error:
        raise ScenarioError(str(error)) from None
    if as_json:
        typer.echo(json.dumps((rows[0] if scenario is not None else {"intervals": rows}) | {"shrinkage": shrinkage}))
    else:
        typer.echo("\n".join(_table(rows)))
        if shrinkage_of is not None:
            typer.echo(f"measured shrinkage: {shrinkage:.1%}")


def measured_shrinkage(journal: Path, since: str | None, until: str | None) -> float:
    """The metric ``shrinkage`` of all agents of a journal. Raises ``ValueError`` where nobody was planned, and paid."""
    from zoneinfo import ZoneInfo

    from callcenter.journal import JournalReader
    from callcenter.reporting.asking import instant_of
    from callcenter.reporting.postings import SubjectKind
    from callcenter.reporting.report import Wanted, report

    utc = ZoneInfo("UTC")
    start, end = (None if text is None else instant_of(text, utc) for text in (since, until))
    found = report(JournalReader(journal).read(), Wanted(start=start, end=end))
    agents = [line for line in found.lines if line.subject.kind is SubjectKind.AGENT]
    shrinkage = agents[-1].values["shrinkage"] if agents else None  # the last line is all of them
    if not isinstance(shrinkage, float):
        raise ValueError(f"{journal}: no paid shift is planned in this time; bring in a roster, or give --shrinkage")
    if shrinkage >= 1:
        raise ValueError(f"{journal}: nobody came, the measured shrinkage is {shrinkage:.0%}; give --shrinkage")
    return shrinkage


def _by_formula(
    arrivals: str | None, aht: float | None, patience: float | None, targets: Any, shrinkage: float
) -> list[dict[str, Any]]:
    from acd.erlang import Workload
    from acd.staffing import staff_intervals

    if not arrivals or not aht:
        raise ValueError("give --arrivals-per-hour and --aht, or --scenario")
    rates = [float(rate) for rate in arrivals.split(",")]
    workloads = [Workload(rate, aht, math.inf if patience is None else patience) for rate in rates]
    return [
        {
            "arrivals_per_hour": each.work.arrivals_per_hour,
            "load": each.work.load,
            "agents": each.agents,
            "rostered": each.rostered,
            "service_level": each.state.service_level,
            "asa_s": each.state.asa_s,
            "p_wait": each.state.p_wait,
            "p_abandon": each.state.p_abandon,
            "occupancy": each.state.occupancy,
            "one_fewer_service_level": each.one_fewer.service_level if each.one_fewer is not None else None,
            "explanation": each.explanation,
        }
        for each in staff_intervals(workloads, targets, shrinkage=shrinkage)
    ]


def _by_simulation(file: Path, targets: Any, calls: int, seed: int, shrinkage: float) -> dict[str, Any]:
    from acd.staffing import rostered
    from acd.staffing_groups import staff_groups
    from callcenter.commands.simulate import as_data
    from callcenter.simulation.scenario_file import parse_scenario

    found = staff_groups(parse_scenario(file.read_text("utf-8"), str(file)), targets, calls=calls, seed=seed)
    return {
        "agents": found.agents,
        "rostered": {name: rostered(count, shrinkage) for name, count in found.agents.items()},
        "trials": found.trials,
        "simulated": as_data(found.result, seed),
    }


def _table(rows: list[dict[str, Any]]) -> list[str]:
    first = rows[0]
    if "trials" in first:
        found = [f"{name}: {n} agents, {first['rostered'][name]} on the roster" for name, n in first["agents"].items()]
        return [*found, f"found in {first['trials']} simulations"]
    return [
        "arrivals/h    load  agents  roster  service level   ASA s  P(wait)  P(abandon)  occupancy",
        *map(_row, rows),
    ]


def _row(row: dict[str, Any]) -> str:
    return (
        f"{row['arrivals_per_hour']:10g} {row['load']:7.2f} {row['agents']:7} {row['rostered']:7}"
        f" {row['service_level']:14.4f} {row['asa_s']:7.2f} {row['p_wait']:8.4f} {row['p_abandon']:11.4f}"
        f" {row['occupancy']:10.4f}   {row['explanation']}"
    )
