"""A table of customers into the store: ``python -m tests.bench.bench_import [rows] [csv|xlsx]``.

The file is made by one process and imported by another, whose largest memory is printed: it is that of its modules and
of one portion of rows, whatever the length of the table. SQLite, in a temporary folder.
"""

import asyncio
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time

from crm_bridge.database import Database, migrate
from crm_bridge.importing import PORTION, ImportReport, begin_import, finish_import, import_portion
from crm_bridge.invented import invented_customers
from crm_bridge.spreadsheets import XlsxWriter, csv_lines, guess_mapping, read_table
from crm_bridge.vocabulary import ContactKind

ROWS = 20_000
KINDS = ("csv", "xlsx")


def main() -> None:
    """Import a table of each kind, each in a process of its own, and print."""
    if len(sys.argv) > 3:
        {"write": write, "import": run_import}[sys.argv[3]](int(sys.argv[1]), Path(sys.argv[2]))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    print(f"{platform.platform()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    for kind in sys.argv[2:3] or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"customers.{kind}"
            for step in ("write", "import"):
                told = [sys.executable, "-m", "tests.bench.bench_import", str(rows), str(path), step]
                subprocess.run(told, check=True)


def write(rows: int, path: Path) -> None:
    """Make the file."""
    began = perf_counter()
    with path.open("wb") as file:
        if path.suffix == ".csv":
            for line in csv_lines(table(rows)):
                file.write(line.encode())
        else:
            writer, source = XlsxWriter("customers"), table(rows)
            while portion := list(islice(source, PORTION)):
                writer.write(portion)
            writer.save(file)
    tell(path, f"{rows} rows written, {path.stat().st_size / 1e6:.0f} MB", began)


def table(rows: int) -> Iterator[tuple[str, ...]]:
    """Invented customers as rows of a table."""
    yield "display_name", "kind", "phone", "email", "preferred_language"
    for new in invented_customers(rows, seed=1):
        phone = next(each.value for each in new.contact_points if each.kind is ContactKind.PHONE)
        email = next((each.value for each in new.contact_points if each.kind is ContactKind.EMAIL), "")
        yield new.display_name, new.kind, phone, email, new.preferred_language or ""


def run_import(rows: int, path: Path) -> None:
    """Enter the file as the product does: a portion of rows in each transaction."""
    began = perf_counter()
    report = asyncio.run(enter(path))
    assert (report.created, report.invalid) == (rows, 0), report
    tell(path, f"{report.created} customers imported, {rows / (perf_counter() - began):.0f} rows/s", began)


async def enter(path: Path) -> ImportReport:
    """Import into a new store beside the file."""
    url = f"sqlite+aiosqlite:///{path.with_suffix('.sqlite')}"
    await migrate(url)
    database = Database(url)
    report, now = ImportReport(), datetime.now(UTC)
    with path.open("rb") as file:
        lines = read_table(file, path.name)
        mapping = guess_mapping(next(lines).cells)
        async with database.begin() as session:
            job = await begin_import(session, path.name, now=now, actor_id=None)
        while portion := list(islice(lines, PORTION)):
            async with database.begin() as session:
                await import_portion(session, job.id, portion, mapping, report, region="CN", now=now, actor_id=None)
        lines.close()
    async with database.begin() as session:
        await finish_import(session, job.id, report)
    await database.close()
    return report


def tell(path: Path, what: str, began: float) -> None:
    """Print what was done, how long it took and the largest memory of this process."""
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = f"{perf_counter() - began:.1f} s, of the processor {process_time():.1f} s, peak {peak_mb:.0f} MB"
    print(f"{path.suffix[1:]:5} {what}: {told}", flush=True)


if __name__ == "__main__":
    main()
