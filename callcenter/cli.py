"""The command line. Each command loads what it needs itself, so that `--help` answers at once."""

import asyncio
import secrets
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from callcenter.commands import (
    audit,
    bench_media,
    bench_routing,
    bench_sip,
    bench_store,
    generate,
    init,
    maintain,
    queue_door,
    replay,
    report,
    simulate,
    sip_trace,
    staffing,
    token,
    why,
)
from callcenter.commands.known_errors import Commands

app = typer.Typer(
    name="callcenter",
    cls=Commands,
    help="A contact center: SIP, IVR, routing, agent console and customer store.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The installation's callcenter.toml.")]
DEFAULT_CONFIG = Path("callcenter.toml")


@app.command()
def serve(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the contact center: exchange, web and media processes, supervised."""
    from callcenter.app import serve as serve_installation
    from callcenter.config import load_settings
    from callcenter.logs import configure_logs
    from callcenter.nursery.births import births_from_here

    configure_logs("supervisor")
    births = births_from_here()  # while there is neither an event loop nor a thread
    run(lambda: serve_installation(load_settings(config), config, births))


@app.command()
def demo(
    calls: Annotated[
        int | None, typer.Option(help="Make this many calls as fast as the floor allows, then end.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON object, as the last line.")
    ] = False,
    data_dir: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path("var/demo"),
    sip_port: Annotated[int, typer.Option(help="UDP and TCP port for SIP on 127.0.0.1.")] = 5060,
    web_port: Annotated[int, typer.Option(help="TCP port for the console on 127.0.0.1.")] = 8000,
) -> None:
    """A demo company on this machine: simulated customers and agents use real SIP, real RTP and the real console."""
    from callcenter.demo.run import DemoOptions, run_demo
    from callcenter.logs import configure_logs
    from callcenter.nursery.births import births_from_here

    configure_logs("demo", level="warning")
    births = births_from_here()
    options = DemoOptions(data_dir=data_dir, sip_port=sip_port, web_port=web_port, calls=calls, as_json=as_json)
    raise typer.Exit(run(lambda: run_demo(options, births)))


@app.command("check-config")
def check_config(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Read the configuration, the site and its flows, and say what is wrong with them."""
    from callcenter.config import load_settings
    from callcenter.site.repository import load_flows, load_site
    from callcenter.site.rules import survey_rules
    from callcenter.site.trunks import site_trunks
    from callcenter.surveys.setup import check_surveys, message_senders

    settings = load_settings(config)
    site = load_site(settings.site)
    load_flows(site, settings.site)
    site_trunks(site.trunks, settings.site)
    check_surveys(survey_rules(site), settings.messages, {queue.id for queue in site.queues})
    message_senders(settings.messages)
    typer.echo(f"{config}: good")


@app.command("lint-flow")
def lint_flow(file: Annotated[Path, typer.Argument(help="The flow's TOML file.")]) -> None:
    """Say what is wrong, or doubtful, in a call flow."""
    from ivr.lint import Severity, lint
    from ivr.parser import parse_flow

    findings = lint(parse_flow(file.read_text("utf-8"), source=str(file)))
    for finding in findings:
        typer.echo(str(finding))
    raise typer.Exit(1 if any(finding.severity is Severity.ERROR for finding in findings) else 0)


@app.command("add-user")
def add_user(
    login: Annotated[str, typer.Argument(help="Login and id: lower-case letters, digits, dot, hyphen.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    queues: Annotated[str, typer.Option(help="Queues the agent serves, separated by commas.")] = "",
    skills: Annotated[str, typer.Option(help="Skills with levels, such as en=2,zh=1.")] = "",
    role: Annotated[
        list[str],
        typer.Option(help="agent, team_lead, supervisor, administrator, auditor; may be repeated."),
    ] = ["agent"],  # noqa: B006 - typer copies it
    teams: Annotated[str, typer.Option(help="Teams whose customers the person sees, separated by commas.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Add a person to the site file. Asks for the password, or reads it from standard input when piped."""
    from callcenter.config import load_settings
    from callcenter.site.people import add_person

    password = typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    made_up = "" if password else secrets.token_urlsafe(9)
    settings = load_settings(config)
    add_person(
        settings.site,
        realm=settings.sip.realm,
        login=login,
        name=name,
        password=password or made_up,
        roles=tuple(role),
        queues=tuple(filter(None, queues.split(","))),
        skills=dict(pair.split("=", 1) for pair in filter(None, skills.split(","))),
        teams=tuple(filter(None, teams.split(","))),
    )
    if made_up:
        typer.echo(f"No password was given; {login} has this one: {made_up}")
    typer.echo(f"{login} added to {settings.site}; restart the contact center to let them in")


@app.command("run-exchange", hidden=True)
def run_exchange_process(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """The exchange process; started by `serve`."""
    from callcenter.config import load_settings
    from callcenter.exchange import run_exchange
    from callcenter.journal_writer import beforehand
    from callcenter.logs import configure_logs
    from callcenter.niceness import EXCHANGE, go_before
    from callcenter.nursery.kinship import die_with_parent

    die_with_parent()
    journal_writers = beforehand()
    go_before(EXCHANGE)
    settings = load_settings(config)
    configure_logs("exchange", level=settings.log.level)
    run(lambda: run_exchange(settings, journal_writers))


@app.command("run-web", hidden=True)
def run_web_process(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """The web process; started by `serve`."""
    from callcenter.config import load_settings
    from callcenter.logs import configure_logs
    from callcenter.nursery.kinship import die_with_parent
    from callcenter.web import run_web

    die_with_parent()
    settings = load_settings(config)
    configure_logs("web", level=settings.log.level)
    run(lambda: run_web(settings))


for command in (init, audit, generate, maintain, queue_door, replay, report, simulate, staffing, token, why):
    command.register(app)

bench = typer.Typer(name="bench", help="Measure parts of the product on this machine.", no_args_is_help=True)
app.add_typer(bench)
for measurement in (bench_media, bench_routing, bench_sip, bench_store):
    measurement.register(bench)

sip = typer.Typer(name="sip", help="Look into the SIP front end of a running exchange.", no_args_is_help=True)
app.add_typer(sip)
sip_trace.register(sip)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine on uvloop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())
