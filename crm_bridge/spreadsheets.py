"""Tables of customers in files: CSV and XLSX, read and written row by row, never held as a whole.

A cell that a spreadsheet program would run as a formula is written with an apostrophe before it, which reading takes
away again.
"""

import csv
import io
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import IO, Any

from crm_bridge.errors import InvalidFile

MAX_COLUMNS = 200
MAX_CELL = 10_000
SHEET_ROWS = 1_048_576
MAX_XLSX_CELL = 32_767
"""What a sheet and a cell of an XLSX file hold (ECMA-376 as spreadsheet programs have it)."""

_FORMULA = re.compile(r"'*(?:[=@\t\r]|[+\-](?!\d))")
"""Also with apostrophes before it, so that what was made safe can be told from what had one of its own."""

_EXACT_NUMBERS = 10**15
"""Numbers of spreadsheets have fifteen digits; the others of a longer one are lost."""
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[Ee]\+\d+")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""Characters that XML 1.0 has no way to write (section 2.2)."""

FIELDS = (
    "display_name", "kind", "phone", "phone_2", "email", "preferred_language", "level", "family_name", "given_name",
    "gender", "birth_date", "occupation", "address", "region_code", "timezone", "legal_name", "industry", "member_no",
    "id_card",
)  # fmt: skip
"""What a column can be."""

_GUESSES: Mapping[str, tuple[str, ...]] = {
    "display_name": ("name", "customer", "full name", "客户", "客户名称", "姓名", "名称"),
    "phone": ("phone", "mobile", "telephone", "number", "tel", "电话", "手机", "手机号", "联系电话"),
    "phone_2": ("phone 2", "second phone", "other phone", "电话2", "固定电话"),
    "email": ("email", "e-mail", "mail", "邮箱", "电子邮件"),
    "preferred_language": ("language", "语言"),
    "family_name": ("family name", "last name", "surname", "姓"),
    "given_name": ("given name", "first name", "名"),
    "gender": ("sex", "性别"),
    "birth_date": ("birth date", "birthday", "date of birth", "生日", "出生日期"),
    "occupation": ("job", "profession", "职业"),
    "address": ("address", "地址"),
    "legal_name": ("company", "公司"),
    "member_no": ("member number", "member no", "会员号"),
    "id_card": ("identity card", "id card number", "national id", "身份证", "身份证号", "身份证号码"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. ``number`` counts as people do in the file: the header is 1."""

    number: int
    cells: tuple[str, ...]


def is_rounded(text: str) -> bool:
    """Whether this was a number with more digits than a spreadsheet keeps: ``1.10105E+17``."""
    return _ROUNDED.fullmatch(text) is not None


def read_table(file: IO[bytes], file_name: str) -> Generator[Row, None, None]:
    """The rows of a CSV or XLSX file, the header first. Close it before the file. Raises ``InvalidFile``."""
    is_xlsx = file_name.lower().endswith(".xlsx")
    with closing(_xlsx_rows(file) if is_xlsx else _csv_rows(file)) as rows:
        for number, cells in enumerate(rows, 1):
            if len(cells) > MAX_COLUMNS:
                raise InvalidFile(f"line {number} has more than {MAX_COLUMNS} columns", where="body")
            if number == 1 or any(cells):
                yield Row(number, tuple(cells))


def guess_mapping(header: Sequence[str]) -> dict[str, int]:
    """Which column is which field, as far as the header says: place of the column by field."""
    words = [cell.strip().casefold().replace("_", " ") for cell in header]
    found: dict[str, int] = {}
    for field in FIELDS:
        for word in (field.replace("_", " "), *_GUESSES.get(field, ())):
            if word in words and words.index(word) not in found.values():
                found[field] = words.index(word)
                break
    return found


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The rows as CSV (RFC 4180), line by line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def plain_cell(text: str) -> str:
    """A cell as it was before it was made safe."""
    return (text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text).strip()


class XlsxWriter:
    """A workbook that is written row by row into temporary files; sheets after the first repeat the header.

    ``write`` and ``save`` block: not for an event loop.
    """

    def __init__(self, title: str, sheet_rows: int = SHEET_ROWS) -> None:
        from openpyxl import Workbook

        self._book = Workbook(write_only=True)
        self._title, self._sheet_rows = title, sheet_rows
        self._sheets = 0
        self._written = sheet_rows
        self._header: list[str] | None = None

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Append rows; the first of all is the header."""
        for row in rows:
            cells = [_NOT_IN_XML.sub("\ufffd", safe_cell(cell))[:MAX_XLSX_CELL] for cell in row]
            if self._header is None:
                self._header = cells
                self._next_sheet()
                continue
            if self._written == self._sheet_rows:
                self._next_sheet()
            self._sheet.append(cells)
            self._written += 1

    def save(self, file: IO[bytes]) -> None:
        """The workbook into a file; nothing can be written afterwards."""
        self._book.save(file)

    def _next_sheet(self) -> None:
        self._sheets += 1
        self._sheet: Any = self._book.create_sheet(
            self._title if self._sheets == 1 else f"{self._title} {self._sheets}"
        )
        self._sheet.append(self._header)
        self._written = 1


def safe_cell(value: Any) -> str:
    """A cell that no spreadsheet program runs."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def _csv_rows(file: IO[bytes]) -> Generator[list[str], None, None]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        sample = text.read(4096)
        text.seek(0)
        delimiter = max(",;\t", key=sample.partition("\n")[0].count)
        for row in csv.reader(text, delimiter=delimiter, strict=True):
            yield [plain_cell(cell[:MAX_CELL]) for cell in row]
    except UnicodeDecodeError as error:
        raise InvalidFile("the file is not text in UTF-8", where="body") from error
    except csv.Error as error:
        raise InvalidFile("the file is no CSV", where="body") from error
    finally:
        text.detach()


def _xlsx_rows(file: IO[bytes]) -> Generator[list[str], None, None]:
    """The first sheet, and those after it that go on under the same header.

    ``defusedxml`` is installed, so the reader refuses entities that expand without end.
    """
    import zipfile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise InvalidFile("the file is no XLSX", where="body") from error
    try:
        header: list[str] | None = None
        for sheet in book.worksheets:
            rows = (
                ["" if cell is None else plain_cell(_cell_text(cell)[:MAX_CELL]) for cell in row]
                for row in sheet.iter_rows(values_only=True)
            )
            first = next(rows, None)
            if header is not None and first != header:
                return
            if header is None and first is not None:
                header = first
                yield first
            yield from rows
    finally:
        book.close()


def _cell_text(cell: Any) -> str:
    """Numbers without a fraction are shown without one: a phone number is no amount. Those that a spreadsheet cannot
    hold exactly are shown as it shows them (``is_rounded``)."""
    if isinstance(cell, int | float) and abs(cell) >= _EXACT_NUMBERS:
        return f"{cell:.14E}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if hasattr(cell, "date") and callable(cell.date):
        return str(cell.date().isoformat())
    return str(cell)
