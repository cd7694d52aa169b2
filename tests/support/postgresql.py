"""A PostgreSQL server of the tests' own: a temporary folder, a free port on the loopback, gone afterwards."""

import asyncio
import importlib.util
import os
import pwd
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port

_UNPRIVILEGED = "nobody"
_SETTINGS = ("max_connections=40", "timezone=Asia/Shanghai")
_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")
_DURABLE = ("shared_buffers=1GB", "max_wal_size=4GB", "jit=off")


def missing() -> str | None:
    """Why no server can be started here, or ``None`` when one can."""
    if importlib.util.find_spec("asyncpg") is None:
        return "asyncpg is not installed"
    if _binaries() is None:
        return "no PostgreSQL server programs found"
    return None


@contextmanager
def running_server(*, durable: bool = False) -> Iterator[str]:
    """Start a server and give the URL of its ``postgres`` database. It refuses to run as root, who becomes nobody.

    ``durable``: as in production, every commit on disk; otherwise as fast as it goes.
    """
    binaries = _binaries()
    assert binaries is not None
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    run_as = _UNPRIVILEGED if os.geteuid() == 0 else None
    if run_as:
        shutil.chown(folder, run_as)
    data = folder / "data"
    user = run_as or pwd.getpwuid(os.geteuid()).pw_name
    port = free_port(socket.SOCK_STREAM)
    try:
        _run(run_as, binaries / "initdb", "-D", data, "-U", user, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        options = " ".join(f"-c {setting}" for setting in _SETTINGS + (_DURABLE if durable else _FORGETFUL))
        options += f" -c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        _run(run_as, binaries / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield f"postgresql+asyncpg://{user}@127.0.0.1:{port}/postgres"
        finally:
            _run(run_as, binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def folder_of(url: str) -> Path:
    """Where a running server of ours keeps its data."""
    return Path(str(asyncio.run(_fetch(url, "SHOW data_directory"))))


def stop(folder: Path) -> None:
    """Stop a server at once, as a power cut would."""
    _control(folder, "-m", "immediate", "-w", "stop")


def start(folder: Path) -> None:
    """Start a stopped server as it was started before, and wait until it has recovered."""
    options = shlex.split((folder / "postmaster.opts").read_text("utf-8"))[
        3:
    ]  # the program, -D and the folder go first
    _control(folder, "-o", shlex.join(options), "-l", folder.parent / "log", "-w", "start")


def _control(folder: Path, *words: str | Path) -> None:
    binaries = _binaries()
    assert binaries is not None
    _run(_UNPRIVILEGED if os.geteuid() == 0 else None, binaries / "pg_ctl", "-D", folder, *words)


def emptied(tables: Iterable[str]) -> str:
    """A statement that empties tables, append-only ones too. Far faster than TRUNCATE for a few rows."""
    return "SET session_replication_role = replica; " + "".join(f"DELETE FROM {table};" for table in tables)


def execute(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    asyncio.run(_execute(url, statements))


def execute_in_thread(url: str, *statements: str) -> None:
    """The same from within a running event loop, which waits."""
    worker = threading.Thread(target=execute, args=(url, *statements))
    worker.start()
    worker.join(30)


async def _fetch(url: str, query: str) -> object:
    import asyncpg

    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def _execute(url: str, statements: tuple[str, ...]) -> None:
    import asyncpg

    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("pg_ctl")
    return Path(on_path).resolve().parent if on_path else None


def _run(run_as: str | None, *command: str | Path) -> None:
    subprocess.run(
        [str(part) for part in command], user=run_as, cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=60
    )
