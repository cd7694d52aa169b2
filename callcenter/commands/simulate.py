"""``callcenter simulate``: the floor in a box, from the command line."""

import gc
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(simulate_floor)


def simulate_floor(
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
    scenario: Annotated[
        Path | None, typer.Option(help="A TOML file with queues, classes, groups and habits, instead of one queue.")
    ] = None,
    day: Annotated[
        Path | None, typer.Option(help="A recorded day: CSV with at_s, queue, handle_s, patience_s. Needs --scenario.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Simulate a floor with the routing engine under virtual time and print how it does in the long run."""
    from acd.simulator import simulate
    from acd.simulator_scenario import Scenario, ScenarioError, single_queue
    from acd.simulator_toml import parse_day, parse_scenario

    def chosen() -> Scenario:
        if scenario is not None:
            floor = parse_scenario(scenario.read_text("utf-8"))
            return floor if day is None else parse_day(day.read_text("utf-8"), floor)
        if day is not None:
            raise ScenarioError("--day needs --scenario for the floor")
        if not arrivals_per_hour or not aht or not agents:
            raise ScenarioError("give --arrivals-per-hour, --aht and --agents, or --scenario")
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


def as_data(result: Any, seed: int) -> dict[str, Any]:
    """The result as JSON tells it: figures, half widths of their 99.9 % intervals, classes, queues, groups."""
    whole = {**_contacts(result.whole), "occupancy": result.occupancy, "mean_queue": result.mean_queue}
    data = _flat(whole)
    data["classes"] = [_flat(_contacts(figures)) for figures in result.classes]
    data["queues"] = [_flat(_contacts(figures)) for figures in result.queues]
    data["groups"] = [asdict(group) for group in result.groups]
    data |= {"hours": result.hours, "arrived": result.arrived, "engine_events": result.engine_events}
    return {**data, "seed": seed, "digest": result.digest}


def _contacts(figures: Any) -> dict[str, Any]:
    counts = ("name", "offered", "served", "abandoned", "unfinished")
    estimates = ("p_wait", "asa_s", "asa_served_s", "p_abandon", "service_level")
    return {name: getattr(figures, name) for name in (*counts, *estimates)}


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
    for kind in ("classes", "queues"):
        if len(figures[kind]) > 1:
            lines += [
                f"{kind[:-1] if kind == 'queues' else 'class'} {each['name']}: offered {each['offered']},"
                f" waits {each['p_wait']:.4f}, asa {each['asa_s']:.2f} s, abandons {each['p_abandon']:.4f},"
                f" service level {each['service_level']:.4f}"
                for each in figures[kind]
            ]
    lines.append(f"{figures['offered']} contacts measured in {figures['hours']:.1f} simulated hours")
    return lines
