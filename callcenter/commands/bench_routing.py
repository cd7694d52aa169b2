"""``callcenter bench routing``: figures of the routing engine on this machine."""

import json
from typing import Annotated

import typer


def register(bench: typer.Typer) -> None:
    """Add the command to the group of measurements."""

    @bench.command("routing")
    def bench_routing_command(
        agents: Annotated[int, typer.Option(min=1, help="Agents on the floor.")] = 1000,
        queues: Annotated[int, typer.Option(min=1, help="Queues.")] = 500,
        profiles: Annotated[int, typer.Option(min=1, help="Different sets of queues and skills.")] = 50,
        queues_each: Annotated[int, typer.Option(min=1, help="Queues that each agent serves.")] = 20,
        load: Annotated[float, typer.Option(min=0.01, help="Offered work over the agents' capacity.")] = 0.9,
        waiting: Annotated[int, typer.Option(min=0, help="Contacts that wait from the start and never give up.")] = 0,
        messages: Annotated[int, typer.Option(min=0, help="Messages that each agent takes besides calls.")] = 1,
        events: Annotated[int, typer.Option(min=100, help="Events to measure.")] = 20_000,
        seed: Annotated[int, typer.Option(help="The same seed gives the same floor.")] = 1,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Replay a busy floor's journal through the whole routing engine: events per CPU second, p50 and p99."""
        from acd.simulator_journal import FloorSize
        from callcenter.commands.routing_speed import measure

        size = FloorSize(agents, queues, profiles, queues_each, load, waiting, messages)
        figures = measure(size, events=events, seed=seed)
        if as_json:
            typer.echo(json.dumps(figures))
        else:
            typer.echo("\n".join(f"{name:20} {value}" for name, value in figures.items()))
