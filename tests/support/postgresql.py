"""A PostgreSQL server of the tests' own: a temporary folder, a free port on the loopback, gone afterwards."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNPRIVILEGED = "nobody"
_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "shared_buffers=32MB",
    "max_connections=40",
    "timezone=Asia/Shanghai",
)


def missing() -> str | None:
    """Why no server can be started here, or ``None`` when one can."""
    if importlib.util.find_spec("asyncpg") is None:
        return "asyncpg is not installed"
    if _binaries() is None:
        return "no PostgreSQL server programs found"
    return None


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server and give the URL of its ``postgres`` database. It refuses to run as root, who becomes nobody."""
    binaries = _binaries()
    assert binaries is not None
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    run_as = _UNPRIVILEGED if os.geteuid() == 0 else None
    if run_as:
        shutil.chown(folder, run_as)
    data = folder / "data"
    user = run_as or pwd.getpwuid(os.geteuid()).pw_name
    port = _free_port()
    try:
        _run(run_as, binaries / "initdb", "-D", data, "-U", user, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        options = " ".join(f"-c {setting}" for setting in _SETTINGS)
        options += f" -c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        _run(run_as, binaries / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield f"postgresql+asyncpg://{user}@127.0.0.1:{port}/postgres"
        finally:
            _run(run_as, binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def execute(url: str, *statements: str) -> None:
    """Run statements outside of any transaction."""
    asyncio.run(_execute(url, statements))


async def _execute(url: str, statements: tuple[str, ...]) -> None:
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("pg_ctl")
    return Path(on_path).resolve().parent if on_path else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(run_as: str | None, *command: str | Path) -> None:
    subprocess.run(
        [str(part) for part in command], user=run_as, cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=60
    )
