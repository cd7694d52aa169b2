"""baresip, a soft phone of others: driven over its control socket, speaking a tone, writing down what it hears."""

import asyncio
import contextlib
import json
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from callcenter.media.audio import tone, write_wav
from tests.support.peers import missing, peer
from tests.support.ports import free_port, media_range
from tests.support.waiting import PATIENCE, until

MODULE_FOLDERS = (Path("/usr/lib/baresip/modules"), Path("/usr/lib/x86_64-linux-gnu/baresip/modules"))
TONE_HZ = 620
"""What it says, all the time."""
TONE_SECONDS = 120.0
WAV_HEADER_BYTES = 44
HOST = "127.0.0.1"
"""It sends its sound from here whatever it binds to, and sound from elsewhere than its signalling is refused."""
MODULES = ("g711", "g722", "srtp", "aufile", "aubridge", "sndfile")
START_SECONDS = 40.0
OUTPUT_SHOWN = 8_000
SUBSCRIPTIONS = 20
"""More of them than this are no accident."""
STARTS = 6
SOUND_PORTS = 40
"""For the sound of its calls."""


@dataclass(frozen=True, slots=True)
class Account:
    """How it registers: ``server`` is an address with port, ``parameters`` are further ones of baresip's accounts."""

    user: str
    password: str
    server: tuple[str, int]
    transport: str = "udp"
    codecs: tuple[str, ...] = ("pcmu",)
    parameters: str = ""
    registers: bool = True
    port: int = 0
    """Where it takes SIP over UDP; 0 for any."""
    registers_for: int = 60
    """Seconds; when it is gone without a word, it is known as gone after so many at most."""
    watches_messages: bool = False
    """Whether it asks to be told of waiting messages."""

    def line(self) -> str:
        """The line of baresip's file ``accounts``."""
        host, port = self.server
        more = f";{self.parameters}" if self.parameters else ""
        more += ";mwi=yes" if self.watches_messages else ""
        return (
            f"<sip:{self.user}@{host}:{port};transport={self.transport}>;auth_user={self.user};"
            f'auth_pass="{self.password}";regint={self.registers_for if self.registers else 0};'
            f"audio_codecs={','.join(self.codecs)};answermode=manual{more}\n"
        )


@dataclass(slots=True)
class Baresip:
    """A running baresip. ``events`` are what it told, oldest first, by their types (``CALL_ESTABLISHED``, ...)."""

    folder: Path
    account: Account
    process: asyncio.subprocess.Process
    writer: asyncio.StreamWriter
    events: list[str] = field(default_factory=list)
    answers: dict[str, "asyncio.Future[str]"] = field(default_factory=dict)

    async def command(self, name: str, parameters: str = "") -> str:
        """Give one of its commands (``dial``, ``accept``, ``hangup``, ``hold``, ...), and return what it says."""
        token = str(len(self.answers))
        answer = self.answers[token] = asyncio.get_running_loop().create_future()
        order = json.dumps({"command": name, "params": parameters, "token": token}).encode()
        self.writer.write(b"%d:%s," % (len(order), order))
        async with asyncio.timeout(PATIENCE):
            text: str = await answer
            return text

    async def until_registered(self) -> None:
        """Wait until its registration stands."""

        async def stands() -> bool:
            return "OK" in await self.command("reginfo")

        try:
            await until("baresip is registered", stands, within=PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}; it printed:\n{self.output[:OUTPUT_SHOWN]}") from None

    def asks_without_end(self) -> bool:
        """Whether its watcher of messages sends one SUBSCRIBE after the other, as that of 1.0 does at some starts."""
        return self.output.count("\nSUBSCRIBE ") > SUBSCRIPTIONS

    async def dial(self, number: str) -> None:
        """Call a number at the server."""
        host, port = self.account.server
        await self.command("dial", f"sip:{number}@{host}:{port};transport={self.account.transport}")

    async def until_event(self, kind: str, count: int = 1, *, within: float = PATIENCE) -> None:
        """Wait for the ``count``-th event of a kind."""
        await until(
            f"baresip told {kind} {count} times: {self.events}", lambda: self.told(kind) >= count, within=within
        )

    def told(self, kind: str) -> int:
        """How often it told an event."""
        return self.events.count(kind)

    @property
    def output(self) -> str:
        """Everything it printed, SIP messages included."""
        return (self.folder / "output.log").read_text("utf-8", errors="replace")

    def heard(self) -> tuple[NDArray[np.int16], int]:
        """What it heard in its newest call so far: samples, and how many make a second."""
        written = sorted(self.folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
        data = written[-1].read_bytes() if written else b""
        if len(data) < WAV_HEADER_BYTES:
            return np.zeros(0, np.int16), 8_000
        sound = data[WAV_HEADER_BYTES:]  # while it is being written, the sizes in its head are not true
        return np.frombuffer(sound[: len(sound) // 2 * 2], "<i2"), int.from_bytes(data[24:28], "little")

    def share_of(self, frequency: float, seconds: float = 0.5) -> float:
        """The share of one tone in the energy of the last so many seconds that it heard, 0 to 1."""
        everything, rate = self.heard()
        count = int(seconds * rate)
        sound = everything[-count:].astype(np.float64)
        energy = float(np.dot(sound, sound))
        if len(sound) < count or energy == 0:
            return 0.0
        angle = 2 * np.pi * frequency * np.arange(count) / rate
        power = (sound @ np.cos(angle)) ** 2 + (sound @ np.sin(angle)) ** 2
        return float(2 * power / count / energy)


@asynccontextmanager
async def watching_baresip(account: Account) -> AsyncIterator[Baresip]:
    """baresip with an account that watches messages, registered; a start at which it asks without end is repeated."""
    for _ in range(STARTS):
        async with baresip(account) as phone:

            async def settled(phone: Baresip = phone) -> bool:
                return phone.asks_without_end() or "\nNOTIFY " in phone.output

            with contextlib.suppress(AssertionError):
                await until("baresip is told of messages, or asks without end", settled, within=8)
            if not phone.asks_without_end() and await settled():
                await phone.until_registered()
                yield phone
                return
    raise AssertionError(f"baresip asked without end at {STARTS} starts")


@asynccontextmanager
async def baresip(account: Account, *, authority: Path | None = None) -> AsyncIterator[Baresip]:
    """Start baresip with one account, and end it. ``authority``: whose TLS certificates it believes."""
    program = peer("baresip")
    places = [place for place in MODULE_FOLDERS if place.is_dir()]
    if not places:
        missing("the modules of baresip are not installed")
    with tempfile.TemporaryDirectory(prefix="baresip-") as name:
        folder, port = Path(name), free_port(socket.SOCK_STREAM)
        (folder / "config").write_text(_config(account, folder, places[0], port, authority), "utf-8")
        (folder / "accounts").write_text(account.line(), "utf-8")
        (folder / "tone.wav").write_bytes(write_wav(tone(TONE_HZ, TONE_SECONDS)))
        (folder / "contacts").write_text("", "utf-8")
        with (folder / "output.log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                program, "-f", str(folder), "-s", stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, "HOME": str(folder)},
            )  # fmt: skip
        try:
            reader, writer = await _connect(port, process, folder)
            phone = Baresip(folder, account, process, writer)
            listening = asyncio.create_task(_listen(phone, reader))
            try:
                yield phone
            finally:
                listening.cancel()
                writer.close()
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    async with asyncio.timeout(5):
                        await process.wait()
                except TimeoutError:
                    process.kill()
            await process.wait()


async def _connect(
    port: int, process: asyncio.subprocess.Process, folder: Path
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    found: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def look() -> bool:
        assert process.returncode is None, (folder / "output.log").read_text("utf-8", errors="replace")
        with contextlib.suppress(OSError):
            found.append(await asyncio.open_connection("127.0.0.1", port))
        return bool(found)

    await until("baresip takes commands", look, within=START_SECONDS)
    return found[0]


async def _listen(phone: Baresip, reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            size = int((await reader.readuntil(b":"))[:-1])
            message = json.loads((await reader.readexactly(size + 1))[:-1])
            if message.get("event"):
                phone.events.append(str(message.get("type")))
            elif (answer := phone.answers.get(str(message.get("token")))) is not None and not answer.done():
                answer.set_result(str(message.get("data", "")))


def _config(account: Account, folder: Path, place: Path, port: int, authority: Path | None) -> str:
    sound = media_range(SOUND_PORTS)
    lines = [
        f"module_path {place}",
        *(f"module {name}.so" for name in MODULES),
        "module_tmp account.so",
        "module_app ctrl_tcp.so",
        "module_app menu.so",
        *(["module_app mwi.so"] if account.watches_messages else []),
        f"ctrl_tcp_listen 127.0.0.1:{port}",
        f"sip_listen {HOST}:{account.port}",
        f"net_interface {HOST}",
        f"audio_source aufile,{folder / 'tone.wav'}",
        "audio_player aubridge,sink",
        "audio_alert aubridge,alert",
        "ausrc_srate 8000",
        "ausrc_channels 1",
        "auplay_srate 8000",
        "auplay_channels 1",
        f"rtp_ports {sound}-{sound + SOUND_PORTS - 1}",
        f"snd_path {folder}",
    ]
    if authority is not None:
        lines.append(f"sip_cafile {authority}")
    return "\n".join(lines) + "\n"
