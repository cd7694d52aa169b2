"""`callcenter demo`: the whole product on this machine, with people in it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import typer

from callcenter.app import Process, Supervisor, server_processes
from callcenter.config import Settings, load_settings
from callcenter.demo.company import (
    PASSWORD_VARIABLE,
    PEOPLE,
    SERVICE_NUMBER,
    DemoCompany,
    found_company,
    invite_customers,
)
from callcenter.demo.console_client import ConsoleClient
from callcenter.demo.score import Score, score
from callcenter.errors import CallCenterError
from callcenter.nursery.births import Births

READY_SECONDS = 60.0
RECORDED_SECONDS = 30.0
CALLS_AT_ONCE = 10
BOSS = next(person for person in PEOPLE if "supervisor" in person.roles)
FOREIGN_PHONE = "ben"
"""The simulated agent who uses a phone that is not ours, when one is installed."""


class DemoFailed(CallCenterError):
    """The demo did not come up, or its calls did not end; the text says what to look at."""

    code = "demo-failed"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What `callcenter demo` was asked for."""

    data_dir: Path
    sip_port: int
    web_port: int
    calls: int | None
    as_json: bool


async def run_demo(options: DemoOptions, births: Births) -> int:
    """Run the demo; returns the exit code. Raises ``DemoFailed``, ``ConfigError`` or ``ProcessFailed``."""
    company = found_company(options.data_dir, sip_port=options.sip_port, web_port=options.web_port)
    settings = load_settings(company.config)
    numbers = await invite_customers(settings.store_url)
    supervisor = Supervisor(server_processes(settings, company.config), births)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, supervisor.end)
    supervisor.start()
    try:
        await _until_ready(supervisor, f"http://127.0.0.1:{settings.web.port}")
        if options.calls is None:
            _print_banner(company, settings)
            _add_living_floor(supervisor, company, settings, numbers)
            await supervisor.wait()
            return 0
        return await _score_calls(options, company, settings, numbers)
    finally:
        await supervisor.stop()


async def _until_ready(supervisor: Supervisor, base_url: str) -> None:
    """Wait until the console answers and the exchange is attached to it."""
    failed = asyncio.ensure_future(supervisor.wait())
    try:
        async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(base_url=base_url, trust_env=False) as http:
            while not failed.done():
                with contextlib.suppress(httpx.TransportError, ValueError):
                    health = await http.get("/api/health")
                    if health.status_code == httpx.codes.OK and health.json().get("exchange_up"):
                        return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise DemoFailed(f"the demo was not ready after {READY_SECONDS:.0f} s; see the messages above") from None
    finally:
        if not failed.done():
            failed.cancel()
    await failed
    raise DemoFailed("the demo was stopped before it was ready")


# A living floor


def _agents_process(company: DemoCompany, settings: Settings, *, fast: bool, foreign: str) -> Process:
    logins = ",".join(person.login for person in PEOPLE if person.simulated)
    command = [
        *(sys.executable, "-m", "callcenter.demo.agents", "--agents", logins, "--foreign-phones", foreign),
        *("--sip-port", str(settings.sip.port), "--web-port", str(settings.web.port)),
        *(["--fast"] if fast else []),
    ]
    return Process("agents", command, env={PASSWORD_VARIABLE: company.password}, quiet=True)


def _foreign_phone_process(company: DemoCompany, settings: Settings, *, fast: bool) -> Process | None:
    """A phone of another make for one agent, when the extra ``phones`` is installed."""
    from importlib.util import find_spec

    if find_spec("pyVoIP") is None:
        return None
    command = [
        *(sys.executable, "-m", "callcenter.demo.foreign_phone", "--login", FOREIGN_PHONE),
        *("--sip-port", str(settings.sip.port)),
        *(["--fast"] if fast else []),
    ]
    return Process("foreign phone", command, env={PASSWORD_VARIABLE: company.password}, quiet=True)


def _callers_command(settings: Settings, numbers: list[str]) -> list[str]:
    return [
        *(sys.executable, "-m", "callcenter.demo.callers", "--numbers", ",".join(numbers)),
        *("--sip-port", str(settings.sip.port)),
    ]


def _add_living_floor(supervisor: Supervisor, company: DemoCompany, settings: Settings, numbers: list[str]) -> None:
    phone = _foreign_phone_process(company, settings, fast=False)
    if phone is not None:
        supervisor.add(phone)
    supervisor.add(_agents_process(company, settings, fast=False, foreign=FOREIGN_PHONE if phone else ""))
    command = [*_callers_command(settings, numbers), "--seed", str(os.getpid())]
    supervisor.add(Process("callers", command, quiet=True))


def _print_banner(company: DemoCompany, settings: Settings) -> None:
    seat = next(person for person in PEOPLE if not person.simulated and person.queues)
    typer.echo(
        f"""
  The contact center is open. Customers are calling {SERVICE_NUMBER}.

    Console     http://127.0.0.1:{settings.web.port}/
    Supervisor  login {BOSS.login}    password {company.password}
    Your seat   login {seat.login}     password {company.password}
    Your phone  any SIP phone: user {seat.login}, password {company.password}, server 127.0.0.1:{settings.sip.port}
                (sip_configs/phones/README.md shows some), then press Ready in the console

  Ctrl+C ends it.
"""
    )


# Calls by the number


async def _score_calls(options: DemoOptions, company: DemoCompany, settings: Settings, numbers: list[str]) -> int:
    base_url = f"http://127.0.0.1:{settings.web.port}"
    phone = _foreign_phone_process(company, settings, fast=True)
    actors = [_agents_process(company, settings, fast=True, foreign=FOREIGN_PHONE if phone else "")]
    if phone is not None:
        actors.append(phone)
    async with contextlib.AsyncExitStack() as stack:
        reports: list[dict[str, Any]] = []
        for actor in actors:
            await stack.enter_async_context(_listening(actor.command, actor.env, reports))
        await _until_agents_ready(base_url, company.password)
        async with _signed_in(base_url, company.password) as http:
            before = await _interaction_ids(http)
            results = await _call(settings, numbers, options.calls or 0)
            figures = await _recorded(http, before, results, reports)
    for fault in figures.faults:
        typer.echo(f"fault: {fault}", err=True)
    if options.as_json:
        typer.echo(json.dumps(figures.as_dict()))
    else:
        for name, value in figures.as_dict().items():
            typer.echo(f"{name:>14}  {value}")
    return 0 if figures.good else 1


@contextlib.asynccontextmanager
async def _listening(command: Any, env: dict[str, str], reports: list[dict[str, Any]]) -> Any:
    """Run an actor and collect the JSON lines it prints."""
    child = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **env},
        preexec_fn=os.setpgrp,  # as every process of the supervisor
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    listener = asyncio.create_task(_collect(child, reports))
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()
        await listener


async def _collect(child: asyncio.subprocess.Process, reports: list[dict[str, Any]]) -> None:
    if child.stdout is not None:
        async for line in child.stdout:
            reports += [json.loads(line)]


@contextlib.asynccontextmanager
async def _signed_in(base_url: str, password: str) -> Any:
    async with httpx.AsyncClient(base_url=base_url, headers={"Origin": base_url}, trust_env=False) as http:
        answer = await http.post("/api/session", json={"login": BOSS.login, "password": password})
        answer.raise_for_status()
        yield http


async def _until_agents_ready(base_url: str, password: str) -> None:
    """Watch the floor as the supervisor does, until it shows every simulated agent ready."""
    wanted = {person.login for person in PEOPLE if person.simulated}
    console = ConsoleClient(base_url, BOSS.login, password)
    following = asyncio.create_task(console.run(), name="supervisor's console")
    try:
        async with asyncio.timeout(READY_SECONDS):
            async for _ in console.changes():
                if wanted <= {each["agent_id"] for each in console.agents.values() if each["state"] == "ready"}:
                    return
    except TimeoutError:
        raise DemoFailed("the simulated agents did not become ready; see the messages above") from None
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _call(settings: Settings, numbers: list[str], count: int) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    command = [*_callers_command(settings, numbers), "--calls", str(count), "--at-once", str(CALLS_AT_ONCE)]
    async with _listening(command, {}, results) as child:
        await child.wait()
    return results


async def _recorded(
    http: httpx.AsyncClient, before: set[str], results: list[dict[str, Any]], reports: list[dict[str, Any]]
) -> Score:
    """Score the calls once the customer store has them all, or once it has had its time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + RECORDED_SECONDS
    while True:
        interactions = [each for each in await _interactions(http) if each["contact_id"] not in before]
        figures = score(results, interactions, reports)
        if figures.good or loop.time() > deadline:
            return figures
        await asyncio.sleep(0.2)


async def _interaction_ids(http: httpx.AsyncClient) -> set[str]:
    return {each["contact_id"] for each in await _interactions(http)}


async def _interactions(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        parameters = {"limit": 100, **({"cursor": cursor} if cursor else {})}
        answer = await http.get("/api/v1/interactions", params=parameters)
        answer.raise_for_status()
        page = answer.json()
        found += page["items"]
        cursor = page.get("next_cursor")
        if not cursor:
            return found
