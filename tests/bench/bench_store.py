"""Figures of the customer store: ``python tests/bench/bench_store.py [customers]``.

SQLite always; PostgreSQL when a server can be started here.
"""

import asyncio
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from crm_bridge.measuring import measure
from tests.support import postgresql


def main() -> None:
    """Measure on each database and print."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print(f"{platform.platform()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        show("SQLite", f"sqlite+aiosqlite:///{folder}/store.sqlite", customers)
    if reason := postgresql.missing():
        print(f"PostgreSQL: not measured, {reason}")
        return
    with postgresql.running_server(durable=True) as url:
        postgresql.execute(url, "CREATE DATABASE bench")
        show("PostgreSQL", url.replace("/postgres", "/bench"), customers)


def show(name: str, url: str, customers: int) -> None:
    """Measure one store and print what was found."""
    figures = asyncio.run(measure(url, customers=customers, seed=1, records=10_000, lookups=2_000))
    for what, value in asdict(figures).items():
        print(f"{name:12} {what:20} {value}")


if __name__ == "__main__":
    main()
