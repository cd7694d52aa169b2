"""What the kernel knows of processes and sockets, read from ``/proc``: the honest witness in tests that kill."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
UDP_ROW_INODE = 9


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One living process."""

    pid: int
    parent: int
    session: int
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UdpSocket:
    """One bound UDP socket. ``inode`` is the same in every process that holds it."""

    host: str
    port: int
    inode: int


def processes_of_session(session: int) -> list[ProcessRow]:
    """The living processes of a session, zombies excepted."""
    rows = (_row(entry) for entry in PROC.iterdir() if entry.name.isdigit())
    return sorted((row for row in rows if row is not None and row.session == session), key=lambda row: row.pid)


def descendants(pid: int) -> list[ProcessRow]:
    """The living processes that this one started, and those that they started."""
    rows = [row for entry in PROC.iterdir() if entry.name.isdigit() and (row := _row(entry)) is not None]
    found, wanted = [], {pid}
    while more := [row for row in rows if row.parent in wanted and row not in found]:
        found += more
        wanted = {row.pid for row in more}
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be buried does not."""
    return _row(PROC / str(pid)) is not None


def kill_now(pid: int) -> None:
    """SIGKILL: no last words."""
    os.kill(pid, signal.SIGKILL)


def udp_sockets(host: str, first: int, last: int) -> list[UdpSocket]:
    """The sockets bound to ``host`` on the ports from ``first`` to ``last``."""
    found = []
    for line in (PROC / "net" / "udp").read_text("ascii").splitlines()[1:]:
        fields = line.split()
        address, port = fields[1].split(":")
        spoken = ".".join(str(byte) for byte in reversed(bytes.fromhex(address)))
        if spoken == host and first <= int(port, 16) <= last:
            found.append(UdpSocket(spoken, int(port, 16), int(fields[UDP_ROW_INODE])))
    return found


def holds_socket(pid: int, inode: int) -> bool:
    """Whether the process is there and has this socket open."""
    try:
        descriptors = list((PROC / str(pid) / "fd").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return False
    for descriptor in descriptors:
        try:
            if descriptor.readlink() == Path(f"socket:[{inode}]"):
                return True
        except FileNotFoundError:
            continue
    return False


def _row(folder: Path) -> ProcessRow | None:
    try:
        command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        fields = (folder / "stat").read_text("ascii", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in {"Z", "X"}:
        return None
    return ProcessRow(int(folder.name), int(fields[1]), int(fields[3]), tuple(command))
