"""``callcenter simulate``: the floor in a box, from the command line."""

import gc
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from acd.simulator_scenario import Scenario


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(simulate_floor)


COUNTS = (
    "name",
    "offered",
    "served",
    "abandoned",
    "sent_away",
    "called_back",
    "unreached",
    "redialled",
    "flowed_out",
    "flowed_in",
    "unfinished",
)
ESTIMATES = ("p_wait", "asa_s", "asa_served_s", "p_abandon", "p_sent_away", "service_level")
SQLITE = b"SQLite format 3"
"""What a journal begins with."""


def simulate_floor(
    file: Annotated[
        Path | None, typer.Argument(help="A scenario: TOML with queues, classes and groups (acd/SIMULATOR.md).")
    ] = None,
    calls: Annotated[int | None, typer.Option(min=1, help="Measure this many contacts, after the warm-up.")] = None,
    arrivals_per_hour: Annotated[float | None, typer.Option(min=0, help="Poisson arrivals.")] = None,
    aht: Annotated[float | None, typer.Option(min=0, help="Mean handle time in seconds, wrap-up included.")] = None,
    agents: Annotated[int | None, typer.Option(min=1, help="Agents on the floor.")] = None,
    patience: Annotated[
        float | None, typer.Option(min=0, help="Mean patience in seconds; left out: nobody gives up. 0: nobody waits.")
    ] = None,
    wrap_up: Annotated[float, typer.Option(min=0, help="Seconds of the handle time spent after each contact.")] = 0.0,
    target: Annotated[float, typer.Option(min=0, help="Seconds within which the service level counts.")] = 20.0,
    warm_up: Annotated[int | None, typer.Option(min=0, help="Contacts before measuring begins.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 1,
    scenario: Annotated[Path | None, typer.Option(help="The scenario, too.")] = None,
    day: Annotated[
        Path | None,
        typer.Option(
            help="A recorded day: a journal, or CSV with at_s, queue, channel, handle_s, patience_s. Its customers come"
            " to the scenario's floor; of a journal without a scenario, to its own."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Simulate a floor with the routing engine under virtual time and print how it does in the long run."""
    from acd.simulator import simulate
    from acd.simulator_scenario import ScenarioError, single_queue

    def chosen() -> "Scenario":
        if file is not None and scenario is not None:
            raise ScenarioError("two scenarios are given; leave one out")
        if file is not None or scenario is not None or day is not None:
            return scenario_of(file or scenario, day)
        if not arrivals_per_hour or not aht or not agents:
            raise ScenarioError("give --arrivals-per-hour, --aht and --agents, or a scenario")
        if wrap_up >= aht:
            raise ScenarioError("--wrap-up must be shorter than --aht")
        endless = patience is None or math.isinf(patience)
        return single_queue(
            arrivals_per_hour,
            aht,
            agents,
            patience_s=None if endless else patience,
            target_s=target,
            wrap_up_s=wrap_up,
        )

    gc.disable()  # a simulation makes no cycles; looking for them costs a fifth of the time
    try:
        floor = chosen()
        if floor.endless and calls is None:
            raise ScenarioError("customers never stop coming: give --calls")
        result = simulate(floor, seed=seed, calls=calls, warm_up=warm_up)
    finally:
        gc.enable()
    figures = as_data(result, seed)
    typer.echo(json.dumps(figures) if as_json else "\n".join(_lines(figures)))


def scenario_of(file: Path | None, day: Path | None) -> "Scenario":
    """The scenario of a file, with the customers of a day where one is given; without a file, the day's own floor."""
    from acd.simulator_scenario import ScenarioError
    from callcenter.journal import JournalReader
    from callcenter.simulation.recorded_day import customers_of, floor_of, parse_day
    from callcenter.simulation.scenario_file import parse_scenario
    from callcenter.written_day import read_day

    floor: Scenario | None = None if file is None else parse_scenario(file.read_text("utf-8"), str(file))
    if day is None:
        if floor is None:
            raise ScenarioError("there is neither a scenario nor a day")
        return floor
    with day.open("rb") as opened:
        is_journal = opened.read(len(SQLITE)) == SQLITE
    if is_journal:
        written = read_day(JournalReader(day).read())
        return floor_of(written) if floor is None else customers_of(written, floor)
    if floor is None:
        raise ScenarioError("a --day in CSV needs a scenario for the floor")
    return parse_day(day.read_text("utf-8"), floor)


def as_data(result: Any, seed: int) -> dict[str, Any]:
    """The result as JSON tells it: figures, half widths of their 99.9 % intervals, classes, queues, channels,
    groups."""
    whole = {**_contacts(result.whole), "occupancy": result.occupancy, "mean_queue": result.mean_queue}
    data = _flat(whole)
    data["classes"] = [_flat(_contacts(figures)) for figures in result.classes]
    data["queues"] = [_flat(_contacts(figures)) for figures in result.queues]
    data["channels"] = [_flat(_contacts(figures)) for figures in result.channels]
    data["groups"] = [asdict(group) for group in result.groups]
    data |= {"hours": result.hours, "arrived": result.arrived, "engine_events": result.engine_events}
    return {**data, "seed": seed, "digest": result.digest}


def _contacts(figures: Any) -> dict[str, Any]:
    return {name: getattr(figures, name) for name in (*COUNTS, *ESTIMATES)}


def _flat(figures: dict[str, Any]) -> dict[str, Any]:
    from acd.simulator_results import Estimate

    estimates = {name: value for name, value in figures.items() if isinstance(value, Estimate)}
    flat = {name: value.value if name in estimates else value for name, value in figures.items()}
    widths = {name: value.half_width() for name, value in estimates.items()}
    return {**flat, "plus_minus": {name: width if math.isfinite(width) else None for name, width in widths.items()}}


def _lines(figures: dict[str, Any]) -> list[str]:
    lines = []
    for name, width in figures["plus_minus"].items():
        trust = "" if width is None else f"  +- {width:.6g}"
        lines.append(f"{name:14} {figures[name]:.6g}{trust}")
    for kind, one in (("classes", "class"), ("queues", "queue"), ("channels", "channel")):
        if len(figures[kind]) > 1:
            lines += [f"{one} {_told(each)}" for each in figures[kind]]
    if len(figures["groups"]) > 1:
        lines += [
            f"group {each['name']}: {each['agents']} agents, {each['staffed_hours']:.1f} hours staffed,"
            f" occupied {each['occupancy']:.4f}, served {each['served']},"
            f" {each['rang_out']} of {each['offers']} offers rang out"
            for each in figures["groups"]
        ]
    lines.append(f"{figures['offered']} contacts measured in {figures['hours']:.1f} simulated hours")
    return lines


def _told(each: dict[str, Any]) -> str:
    """One class, queue or channel in a line; what did not happen is left out."""
    further = [f"{name.replace('_', ' ')} {each[name]}" for name in COUNTS[4:] if each[name]]
    told = (
        f"{each['name']}: offered {each['offered']}, waits {each['p_wait']:.4f}, asa {each['asa_s']:.2f} s,"
        f" abandons {each['p_abandon']:.4f}, service level {each['service_level']:.4f}"
    )
    return ", ".join([told, *further])
