"""linphone's daemon, a soft phone of others: driven over its socket, playing a tone into its calls."""

import asyncio
import contextlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.media.audio import tone, write_wav
from tests.support.peers import peer
from tests.support.waiting import PATIENCE, until

TONE_HZ = 700
"""What it says, once told to."""
TONE_SECONDS = 60.0
START_SECONDS = 40.0
REPLY_BYTES = 65_536
SILENT_CARD = "ANull: Null Sound Device"


@dataclass(frozen=True, slots=True)
class LinphoneAccount:
    """How it registers: ``server`` is an address with port; ``encryption`` is ``none`` or ``srtp``, and with
    ``insists`` nothing else."""

    user: str
    password: str
    realm: str
    server: tuple[str, int]
    transport: str = "udp"
    encryption: str = "none"
    insists: bool = False
    authorities: Path | None = None
    """Whose TLS certificates it believes."""
    keys_by_info: bool = False
    """Whether it sends keys by INFO instead of as telephone events."""
    session_seconds: int = 0
    """The session timer it asks for (RFC 4028); 0 for none."""


@dataclass(slots=True)
class Linphone:
    """A running daemon. ``events`` are what it told, oldest first, one text each."""

    folder: Path
    account: LinphoneAccount
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    events: list[str] = field(default_factory=list)

    async def command(self, line: str) -> str:
        """Give a command and return its reply. Raises ``AssertionError`` unless it is done."""
        self.writer.write(f"{line}\n".encode())
        async with asyncio.timeout(PATIENCE):
            reply = (await self.reader.read(REPLY_BYTES)).decode("utf-8", errors="replace")
        assert not reply.startswith("Status: Error"), f"{line}: {reply}"
        return reply

    async def until_registered(self) -> None:
        """Wait until its registration stands."""

        async def stands() -> bool:
            return "LinphoneRegistrationOk" in await self.command("register-status ALL")

        await until("linphone is registered", stands, within=PATIENCE)

    async def until_event(self, name: str, *, within: float = PATIENCE) -> str:
        """Wait for an event that holds ``name``, and return it; each is returned once."""
        found: list[str] = []

        async def told() -> bool:
            reply = await self.command("pop-event")
            if "Event-type" in reply:
                self.events.append(reply)
            found[:] = [event for event in self.events if name in event]
            return bool(found)

        try:
            await until(f"linphone tells {name}", told, within=within)
        except AssertionError as error:
            raise AssertionError(f"{error}; told so far: {self.events}") from None
        self.events.remove(found[0])
        return found[0]

    async def dial(self, number: str) -> None:
        """Call a number at the server."""
        host, port = self.account.server
        await self.command(f"call sip:{number}@{host}:{port};transport={self.account.transport}")

    async def say_tone(self, call: int = 1) -> None:
        """Play the tone into its ``call``-th call."""
        await self.command(f"incall-player-start {self.folder / 'tone.wav'} {call}")


@asynccontextmanager
async def linphone(account: LinphoneAccount) -> AsyncIterator[Linphone]:
    """Start the daemon with one account, and end it."""
    program = peer("linphone-daemon")
    with tempfile.TemporaryDirectory(prefix="linphone-") as name:
        folder, pipe = Path(name), f"cc-linphone-{secrets.token_hex(6)}"
        (folder / ".local/share/linphone").mkdir(parents=True)
        (folder / "linphonerc").write_text(_config(account), "utf-8")
        (folder / "tone.wav").write_bytes(write_wav(tone(TONE_HZ, TONE_SECONDS)))
        with (folder / "output.log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                program, "--config", str(folder / "linphonerc"), "--pipe", pipe,
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, "HOME": str(folder)},
            )  # fmt: skip
        door = Path("/tmp") / pipe
        try:
            reader, writer = await _connect(door, process, folder)
            try:
                yield Linphone(folder, account, reader, writer)
            finally:
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
            door.unlink(missing_ok=True)


async def _connect(
    door: Path, process: asyncio.subprocess.Process, folder: Path
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    found: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def look() -> bool:
        assert process.returncode is None, (folder / "output.log").read_text("utf-8", errors="replace")
        with contextlib.suppress(OSError):
            found.append(await asyncio.open_unix_connection(door))
        return bool(found)

    await until("linphone takes commands", look, within=START_SECONDS)
    return found[0]


def _config(account: LinphoneAccount) -> str:
    host, port = account.server
    more = f"root_ca={account.authorities}\n" if account.authorities else ""
    if account.session_seconds:
        more += (
            f"session_expires_enabled=1\nsession_expires_value={account.session_seconds}\n"
            "session_expires_min_value=90\nsession_expires_refresher_value=2\n"
        )
    return f"""\
[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
use_ipv6=0
default_proxy=0
media_encryption={account.encryption}
media_encryption_mandatory={int(account.insists)}
verify_server_certs={int(account.authorities is not None)}
verify_server_cn=0
use_info={int(account.keys_by_info)}
use_rfc2833={int(not account.keys_by_info)}
{more}
[rtp]
audio_rtp_port=-1
[net]
dns_srv_enabled=0
[sound]
playback_dev_id={SILENT_CARD}
capture_dev_id={SILENT_CARD}
ringer_dev_id={SILENT_CARD}
[auth_info_0]
username={account.user}
passwd={account.password}
realm={account.realm}
[proxy_0]
reg_proxy=<sip:{host}:{port};transport={account.transport}>
reg_identity=sip:{account.user}@{host}
reg_sendregister=1
reg_expires=60
"""
