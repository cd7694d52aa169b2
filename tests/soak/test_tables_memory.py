"""Tables of a million rows go out and come in without being held."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3000)]

ROWS = 1_000_000
ALLOWED_KB = {"csv": 20_000, "xlsx": 150_000}
"""How much more a million rows may take than a thousand. The reader of workbooks keeps some 90 bytes of each row."""
CHILD = """
import io, resource, sys, tempfile
from itertools import islice
from crm_bridge.importing import understand
from crm_bridge.spreadsheets import XlsxWriter, csv_lines, guess_mapping, read_table

kind, rows = sys.argv[1], int(sys.argv[2])

def customers():
    yield "display_name", "phone", "email", "address"
    for n in range(rows):
        yield f"Ada {n}", f"+86139{n:08}", f"ada{n}@example.com", "1 Analytical Road"

with tempfile.TemporaryFile() as file:
    if kind == "csv":
        for line in csv_lines(customers()):
            file.write(line.encode())
    else:
        writer, source = XlsxWriter("customers"), customers()
        while portion := list(islice(source, 500)):
            writer.write(portion)
        writer.save(file)
    file.seek(0)
    table = read_table(file, f"a.{kind}")
    mapping = guess_mapping(next(table).cells)
    count = sum(1 for row in table if (understand(row, mapping, "CN") if row.number % 1000 == 0 else True))
    table.close()
    assert count == rows, count
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_million_rows_take_the_memory_of_a_thousand(kind: str) -> None:
    few, many = peak_kb(kind, 1000), peak_kb(kind, ROWS)
    assert many - few < ALLOWED_KB[kind], (few, many)


def peak_kb(kind: str, rows: int) -> int:
    """The largest resident memory of a process that writes and reads so many rows."""
    command = [sys.executable, "-c", CHILD, kind, str(rows)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True)
    return int(told.stdout)
