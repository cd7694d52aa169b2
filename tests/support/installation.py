"""A real installation for tests: `callcenter serve` with all its processes, in a folder and on ports of its own."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

import crm_bridge
from callcenter.accounts import hash_password
from callcenter.config import Settings, load_settings
from callcenter.journal import JournalReader
from callcenter.media.audio import tone, write_wav
from callcenter.nursery.client import Born
from callcenter.projection import CURSOR, KINDS
from callcenter.sip.digest import ha1
from ivr.flows import demo_flow_text
from ivr.parser import parse_flow
from tests.support.ports import free_port, free_sip_port, media_range
from tests.support.process_table import (
    ProcessRow,
    UdpSocket,
    holds_socket,
    kill_now,
    processes_of_session,
    udp_sockets,
)
from tests.support.waiting import PAUSE_SECONDS, until
from tests.support.warm_nursery import executed, forked

PASSWORD = "correct horse battery staple"
"""Everybody's."""
REALM = "callcenter"
SERVICE_NUMBER = "+12025550100"
CARRIER_HOST = "127.0.0.2"
"""The one address that the trunk is known by."""
PHONE_HOST = "127.0.0.3"
BOSS = "boss"
STORE_LOOKS = 200
"""How often a store that has no tables yet is looked at, a pause apart, before the tests go on without it."""
START_SECONDS = 120.0
STOP_SECONDS = 40.0
PROMPT_HZ = 300.0
PROMPT_SECONDS = 0.2
ROLES = {
    "serve": "supervisor",
    "run-exchange": "exchange",
    "run-web": "web",
    "callcenter.media.mediad": "media",
    "callcenter.media.mediad.worker": "media worker",
    "callcenter.media.mediad.browsers": "browsers",
    "callcenter.nursery": "nursery",
}
"""A word of a process's command line, and what it tells."""
NURSERY = "callcenter.media.mediad.nursery"
"""Forks media workers, which keep its command line."""


def children_of(rows: Sequence[ProcessRow], word: str) -> list[int]:
    """The processes that one with this word in its command line has forked."""
    named = {row.pid for row in rows if word in row.command}
    return [row.pid for row in rows if row.pid in named and row.parent in named]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an installation shall be like."""

    agents: int = 1
    """Named ``agent1`` and so on; all serve sales and support, all speak both languages."""
    ring_seconds: int = 60
    """Far more than anybody here takes to answer, also on a busy machine."""
    wrap_up_seconds: int = 0
    media_ports: int = 400
    queue_lines: tuple[str, ...] = ()
    """More lines of each queue in the site file."""
    records: bool = False
    """Whether there is a folder for recordings, and a key to encrypt them."""
    browsers: bool = False
    """Whether agents may use their browser as a phone; without it one process less is started."""
    sip_lines: tuple[str, ...] = ()
    """Further lines of the section ``[sip]``."""
    trunk_ports: tuple[int, ...] = ()
    """Ports of ``trunk_host`` that are a second trunk, for programs that cannot choose their address."""
    trunk_host: str = "127.0.0.1"
    agent_lines: tuple[tuple[str, str], ...] = ()
    """Further lines of agents in the site file: login, line."""
    site_lines: tuple[str, ...] = ('quiet_hours_by_hand = "ignore"',)
    """Lines at the top of the site file; by default tests may call at night."""
    flow: str = ""
    """The flow of the number; empty: the demo's."""
    more_site: str = ""
    """Further tables of the site file."""
    environment: tuple[tuple[str, str], ...] = ()
    """Further variables of its environment."""
    store_seconds: float = 6.0
    """How long the exchange waits for the customer store, which a busy machine lets answer late."""
    executed: bool = False
    """Whether it is executed, as an operator's is; else it is forked from what the tester has imported already."""
    store_url: str | None = None
    """Another customer store than an SQLite file in the installation's folder."""


@dataclass(slots=True)
class Installation:
    """A running installation, its people's password, and what can be asked of it from outside."""

    folder: Path
    plan: Plan
    settings: Settings
    process: "Born | subprocess.Popen[bytes]"
    seen: set[int] = field(default_factory=set)
    """Every process of it that was ever looked at."""

    @property
    def sip(self) -> tuple[str, int]:
        """Where it takes SIP."""
        return self.settings.sip.host, self.settings.sip.port

    @property
    def base_url(self) -> str:
        """Where its console is."""
        return f"http://{self.settings.web.host}:{self.settings.web.port}"

    @property
    def agents(self) -> list[str]:
        """The agents' logins, which are also their ids and their phones' user names."""
        return agent_logins(self.plan)

    @property
    def output(self) -> str:
        """Everything its processes have said so far."""
        return (self.folder / "output.log").read_text("utf-8", errors="replace")

    @property
    def journal(self) -> JournalReader:
        """Its journal."""
        return JournalReader(self.settings.journal_path)

    @property
    def store_file(self) -> Path:
        """Its customer store."""
        return self.settings.data_dir / "store.sqlite"

    def processes(self) -> list[ProcessRow]:
        """Its living processes: those of the session that the supervisor leads."""
        rows = processes_of_session(self.process.pid)
        self.seen.update(row.pid for row in rows)
        return rows

    def pids(self, role: str) -> list[int]:
        """The processes of one role (a value of ``ROLES``)."""
        words = {word for word, name in ROLES.items() if name == role}
        rows = self.processes()
        found = [row.pid for row in rows if words & set(row.command)]
        if role == "media worker":
            found += children_of(rows, NURSERY)
        return found

    def pid(self, role: str) -> int:
        """The one process of a role. Raises ``AssertionError`` unless there is exactly one."""
        found = self.pids(role)
        assert len(found) == 1, f"{len(found)} processes are {role}: {self.processes()}"
        return found[0]

    def media_sockets(self) -> list[UdpSocket]:
        """The RTP sockets of legs, which are those that a worker has; the keeper also holds some ready for the next."""
        media, workers = self.settings.media, self.pids("media worker")
        opened = udp_sockets(media.host, media.port_min, media.port_max)
        return [each for each in opened if any(holds_socket(pid, each.inode) for pid in workers)]

    async def kill(self, role: str) -> int:
        """Kill the one process of a role, and return its pid once it is gone."""
        pid = self.pid(role)
        kill_now(pid)
        await until(f"the killed {role} is gone", lambda: pid not in {row.pid for row in self.processes()})
        return pid

    async def until_up(self, within: float = START_SECONDS) -> None:
        """Wait until the console answers and hears the exchange."""
        async with httpx.AsyncClient(base_url=self.base_url, trust_env=False) as http:

            async def healthy() -> bool:
                try:
                    answer = await http.get("/api/health")
                except httpx.TransportError:
                    return False
                return answer.status_code == httpx.codes.OK and answer.json()["exchange_up"] is True

            await until("console and exchange are up", healthy, within=within)

    @asynccontextmanager
    async def signed_in(self, login: str = BOSS) -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client with the session of one of its people."""
        async with httpx.AsyncClient(
            base_url=self.base_url, headers={"Origin": self.base_url}, trust_env=False, timeout=20.0
        ) as http:
            answer = await http.post("/api/session", json={"login": login, "password": PASSWORD})
            answer.raise_for_status()
            yield http


async def interactions(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Everything that the customer store holds, newest first."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = await http.get("/api/v1/interactions", params={"limit": 100, **({"cursor": cursor} if cursor else {})})
        answer.raise_for_status()
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if not cursor:
            return found


async def stored_interactions(house: Installation, http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Everything that the customer store holds, newest first, once it holds all that the journal has for it so far."""
    newest = max((row.seq for row in house.journal.read(kinds=KINDS)), default=0)

    def has_read_it() -> bool:
        with closing(sqlite3.connect(f"file:{house.store_file}?mode=ro", uri=True)) as store:
            row = store.execute("SELECT seq FROM projection_cursor WHERE name = ?", (CURSOR,)).fetchone()
        return newest == 0 or (row is not None and row[0] >= newest)

    await until("the store has read the journal", has_read_it)
    return await interactions(http)


async def until_recorded(http: httpx.AsyncClient, count: int, *, within: float = 20.0) -> list[dict[str, Any]]:
    """Wait until the store holds so many interactions, and return them: never more, and each contact once."""
    found: list[dict[str, Any]] = []

    async def enough() -> bool:
        found[:] = await interactions(http)
        return len(found) >= count

    await until(f"the store holds {count} interactions", enough, within=within)
    assert len(found) == count
    assert len({each["contact_id"] for each in found}) == count
    return found


def agent_logins(plan: Plan) -> list[str]:
    """The agents of a plan."""
    return [f"agent{number}" for number in range(1, plan.agents + 1)]


@contextmanager
def running_installation(plan: Plan) -> Iterator[Installation]:
    """Start an installation, wait until it is up, and end it; nothing of it stays. For fixtures, which do not await."""
    with tempfile.TemporaryDirectory(prefix="cc-") as name:
        folder = Path(name)
        with serving(folder, plan, write_installation(folder, plan)) as house:
            yield house


@contextmanager
def serving(folder: Path, plan: Plan, settings: Settings) -> Iterator[Installation]:
    """The same with files that are there: ``plan`` and ``settings`` only say what they hold."""
    command = [sys.executable, "-m", "callcenter", "serve", "--config", str(folder / "callcenter.toml")]
    with (folder / "output.log").open("wb") as output:
        start = executed if plan.executed else forked
        process = start(command, {**os.environ, **dict(plan.environment)}, output.fileno())
    house = Installation(folder, plan, settings, process)
    try:
        _wait_until_up(house)
        yield house
    finally:
        _end(house)


def _wait_until_up(house: Installation) -> None:
    """The pause between two looks is a wait for the supervisor's end, so that a failed start is told at once. The
    console opens before the customer store has its tables; a store that never gets them is waited for only so long."""
    looks = 0
    for _ in range(int(START_SECONDS / PAUSE_SECONDS)):
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(f"{house.base_url}/api/health", trust_env=False)
            if answer.status_code == httpx.codes.OK and answer.json()["exchange_up"]:
                looks += 1
                if looks > STORE_LOOKS or _has_store(house):
                    return
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = house.process.wait(PAUSE_SECONDS)
            raise AssertionError(f"the installation ended with status {status}:\n{house.output}")
    raise AssertionError(f"the installation was not up after {START_SECONDS:.0f} s:\n{house.output}")


def _has_store(house: Installation) -> bool:
    """Whether its customer store is at the newest revision; one that is no file of its folder is not looked at."""
    if house.plan.store_url is not None:
        return True
    file = f"file:{house.store_file}?mode=ro"
    with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(file, uri=True)) as store:
        return bool(store.execute("SELECT version_num FROM alembic_version").fetchone() == (_newest_revision(),))
    return False


@cache
def _newest_revision() -> str:
    folder = Path(crm_bridge.__file__).parent / "migrations" / "versions"
    return max(each.stem.split("_")[1] for each in folder.glob("rev_*.py"))


def _end(house: Installation) -> None:
    """SIGTERM to the supervisor must end everything; what stays is killed and told."""
    house.processes()
    if house.process.poll() is None:
        house.process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        house.process.wait(STOP_SECONDS)
    left = house.processes()
    for row in left:
        with contextlib.suppress(ProcessLookupError):
            kill_now(row.pid)
    house.process.wait()
    assert not left, f"SIGTERM left processes behind: {left}\n{house.output}"


# Its files


def write_installation(folder: Path, plan: Plan) -> Settings:
    """Configuration, site and short prompts of an installation."""
    media_first = media_range(plan.media_ports)
    (folder / "callcenter.toml").write_text(
        'data_dir = "."\nsite = "site.toml"\n\n'
        f'[sip]\nhost = "127.0.0.1"\nport = {free_sip_port()}\nrealm = "{REALM}"\nmax_lag_ms = 2000\n'
        + "".join(f"{line}\n" for line in plan.sip_lines)
        + "\n"
        f'[web]\nhost = "127.0.0.1"\nport = {free_port(socket.SOCK_STREAM)}\n\n'
        f'[media]\nhost = "127.0.0.1"\nport_min = {media_first}\nport_max = {media_first + plan.media_ports - 1}\n\n'
        f"[media.webrtc]\nenabled = {str(plan.browsers).lower()}\n\n"
        '[speech]\nrecordings = "recordings"\n\n'
        + f"[store]\n{_patience(plan.store_seconds)}"
        + (f'url = "{plan.store_url}"\n\n' if plan.store_url else "\n")
        + '[log]\nlevel = "info"\n'
        + (RECORDINGS if plan.records else ""),
        "utf-8",
    )
    (folder / "site.toml").write_text(_site(plan), "utf-8")
    recordings = folder / "recordings"
    sound = write_wav(tone(PROMPT_HZ, PROMPT_SECONDS))
    if plan.flow:
        (folder / "flow.toml").write_text(plan.flow, "utf-8")
    for name, texts in parse_flow(plan.flow or demo_flow_text(), source="flow").prompts.items():
        for language in texts:
            (recordings / language).mkdir(parents=True, exist_ok=True)
            (recordings / language / f"{name}.wav").write_bytes(sound)
    return load_settings(folder / "callcenter.toml")


def _patience(seconds: float) -> str:
    return "".join(f"{name}_seconds = {seconds}\n" for name in ("match", "leave", "dial_leave"))


def _site(plan: Plan) -> str:
    lines = "\n".join(plan.site_lines)
    head = f"""\
company = "Northwind Instruments"
time_zone = "UTC"
region = "US"
{lines}

[[trunks]]
id = "carrier"
addresses = ["{CARRIER_HOST}"]

[[numbers]]
number = "{SERVICE_NUMBER}"
flow = "main"

[[flows]]
id = "main"
file = "{"flow.toml" if plan.flow else "builtin:demo"}"

[[not_ready_reasons]]
code = "lunch"
labels = {{ en = "Lunch", zh = "午餐" }}

[[dispositions]]
code = "solved"
labels = {{ en = "Solved", zh = "已解决" }}

[[dispositions]]
code = "follow-up"
labels = {{ en = "Follow-up needed", zh = "需要跟进" }}
"""
    if plan.trunk_ports:
        head += f'\n[[trunks]]\nid = "desktop"\naddresses = ["{plan.trunk_host}"]\nports = {list(plan.trunk_ports)}\n'
    queues = [_queue(plan, queue_id, name, zh) for queue_id, name, zh in QUEUES]
    people = [
        _person(login, f"Agent {login[5:]}", ["agent"])
        + "".join(f"{line}\n" for whose, line in plan.agent_lines if whose == login)
        for login in agent_logins(plan)
    ]
    return "\n".join(
        [head, plan.more_site, *queues, *people, _person(BOSS, "Robin Field", ["supervisor", "administrator"])]
    )


RECORDINGS = '\n[recordings]\nfolder = "calls"\nkey_file = "recording.key"\nkeep_days = { standard = 30 }\n'
QUEUES = (("sales", "Sales", "销售"), ("support", "Support", "技术支持"))


def _queue(plan: Plan, queue_id: str, name: str, zh: str) -> str:
    return (
        f'[[queues]]\nid = "{queue_id}"\nname = "{name}"\nlabels = {{ zh = "{zh}" }}\n'
        f"ring_seconds = {plan.ring_seconds}\nwrap_up_seconds = {plan.wrap_up_seconds}\n"
        + "".join(f"{line}\n" for line in plan.queue_lines)
    )


def _person(login: str, name: str, roles: list[str]) -> str:
    lines = [
        "[[agents]]",
        f'id = "{login}"',
        f'name = "{name}"',
        f'login = "{login}"',
        f'password_hash = "{_password_hash()}"',
        f"roles = {json.dumps(roles)}",
    ]
    if "agent" in roles:
        lines += [
            f"queues = {json.dumps([queue_id for queue_id, _, _ in QUEUES])}",
            "skills = { en = 3, zh = 3 }",
        ]
    if "agent" in roles or "supervisor" in roles:
        lines += [
            f'sip_ha1_sha256 = "{ha1(login, REALM, PASSWORD, "SHA-256")}"',
            f'sip_ha1_md5 = "{ha1(login, REALM, PASSWORD, "MD5")}"',
        ]
    return "\n".join(lines) + "\n"


@cache
def _password_hash() -> str:
    return hash_password(PASSWORD)
