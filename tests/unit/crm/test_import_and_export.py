"""Customers from tables and into tables."""

import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from crm_bridge.database import Database
from crm_bridge.errors import InvalidFile
from crm_bridge.interactions import record
from crm_bridge.models import ExternalIdentity
from crm_bridge.spreadsheets import XlsxWriter, csv_lines, guess_mapping, plain_cell, read_table, safe_cell
from tests.support.crm_records import NUMBER, REGION, call
from tests.support.crm_web import client_of, enter, problem

pytestmark = pytest.mark.unit

TABLE = """姓名,手机,Email,Birthday,unused
Ada Lovelace,139 0000 1234,ada@example.com,1985-12-10,x
Ben,13900000002,,,x
Nobody,reception,,,x
Ben,+8613900000002,ben@example.com,,x
,13900000005,,,x
Clara,13900000006,,soon,x
"""


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def send(
    web: httpx.AsyncClient, path: str, body: bytes | str, name: str = "a.csv", **query: Any
) -> httpx.Response:
    content = body.encode() if isinstance(body, str) else body
    return await web.post(path, params={"file_name": name} | query, content=content)


async def test_a_preview_says_what_would_happen_and_does_nothing(web: httpx.AsyncClient) -> None:
    answer = (await send(web, "/imports/preview", TABLE)).json()
    assert answer["mapping"] == {"display_name": 0, "phone": 1, "email": 2, "birth_date": 3}
    assert (answer["rows"], answer["created"], answer["duplicates"], answer["invalid"]) == (6, 2, 1, 3)
    assert [each["row"] for each in answer["invalid_rows"]] == [4, 6, 7]
    assert (await web.get("/customers")).json()["items"] == []


async def test_rows_become_customers_and_what_is_there_already_is_left_out(
    web: httpx.AsyncClient, database: Database
) -> None:
    async with database.begin() as session:
        await record(session, call(), region=REGION)
    ben = await enter(web, "ben", "13900000002")
    job = (await send(web, "/imports", TABLE)).json()
    report = job["report"]
    assert (job["state"], report["created"], report["duplicates"], report["invalid"]) == ("done", 1, 2, 3)
    assert report["duplicate_rows"][0] == {"row": 3, "customer_id": ben["id"]}
    [ada] = (await web.get("/customers?q=lovelace")).json()["items"]
    found = (await web.get(f"/customers/{ada['id']}/record")).json()
    assert found["profile"]["birth_date"] == "1985-12-10"
    assert [point["value_norm"] for point in found["contact_points"]] == ["+8613900001234", "ada@example.com"]
    assert (await web.get("/interactions/c1")).json()["customer_id"] == ada["id"]
    again = (await send(web, "/imports", TABLE)).json()["report"]
    assert (again["created"], again["duplicates"]) == (0, 3)


async def test_an_import_is_taken_back_but_not_what_somebody_has_worked_with(web: httpx.AsyncClient) -> None:
    lines = "name,phone\n" + "".join(f"Person {n},1390000{n:04d}\n" for n in range(5))
    job = (await send(web, "/imports", lines)).json()
    [touched] = (await web.get("/customers?q=person%203")).json()["items"]
    await web.post(f"/customers/{touched['id']}/notes", json={"body": "called back"})
    [edited] = (await web.get("/customers?q=person%204")).json()["items"]
    await web.patch(f"/customers/{edited['id']}", json={"occupation": "poet"}, headers={"if-match": "*"})
    undone = await web.post(f"/imports/{job['id']}/undo")
    assert undone.json() == {"removed": 3, "kept": 2}
    kept = [each["id"] for each in (await web.get("/customers")).json()["items"]]
    assert sorted(kept) == sorted([touched["id"], edited["id"]])
    assert (await web.get("/customers/lookup?number=13900000001")).json()["state"] == "none"
    assert problem(await web.post(f"/imports/{job['id']}/undo"))[:2] == (409, "cannot-undo")


async def test_what_goes_out_as_a_table_comes_in_again(web: httpx.AsyncClient, database: Database) -> None:
    await enter(web, '=HYPERLINK("x")', NUMBER)
    await enter(web, "王小明", "13900000002")
    out = await web.get("/exports/customers.csv")
    assert out.headers["content-type"].startswith("text/csv")
    assert "'=HYPERLINK" in out.text
    xlsx = await web.get("/exports/customers.xlsx")
    sheet = load_workbook(io.BytesIO(xlsx.content), read_only=True).worksheets[0]
    names = [row[1] for row in sheet.iter_rows(values_only=True)]
    assert names == ["display_name", '\'=HYPERLINK("x")', "王小明"]
    for name, content in (("a.csv", out.content), ("a.xlsx", xlsx.content)):
        seen = (await send(web, "/imports/preview", content, name)).json()
        assert (seen["rows"], seen["duplicates"], seen["invalid"]) == (2, 2, 0), seen


async def test_a_spreadsheet_with_numbers_as_numbers_is_understood(web: httpx.AsyncClient) -> None:
    book = Workbook()
    book.active.append(["Name", "Phone"])
    book.active.append(["Ada", 13900001234])
    book.active.append(["Ben", 13900000002.0])
    file = io.BytesIO()
    book.save(file)
    report = (await send(web, "/imports", file.getvalue(), "a.xlsx")).json()["report"]
    assert (report["created"], report["invalid"]) == (2, 0)
    assert (await web.get("/customers/lookup?number=13900000002")).json()["state"] == "one"


CARD = "11010519491231002X"
CARDS = f"""姓名,手机,身份证号
Ada Lovelace,13900001234,{CARD}
Ada L.,13900005678,110105 19491231 002x
Ben,13900000002,440524188001010014
Clara,13900000003,无
Dora,13900000004,1.10105E+17
Emil,13900000005,
"""


async def test_an_identity_card_is_imported_as_a_digest_and_never_shown_back(
    web: httpx.AsyncClient, database: Database
) -> None:
    """Told by another name and number, it is the same person; what is no number of a card is refused, not repeated."""
    body = {"display_name": "Benjamin", "identities": [{"provider": "id_card", "external_id": "440524188001010014"}]}
    ben = (await web.post("/customers", json=body)).json()
    await web.put(f"/customers/{ben['id']}/owner", json={"user_id": "u1"}, headers={"if-match": "*"})
    for path in ("/imports/preview", "/imports"):
        answer = await send(web, path, CARDS)
        told = answer.json()
        report = told.get("report", told)
        assert (report["created"], report["duplicates"], report["invalid"]) == (2, 2, 2)
        assert report["duplicate_rows"] == [
            {"row": 3, "customer_id": None},
            {"row": 4, "customer_id": ben["id"], "owner_id": "u1"},
        ]
        assert [each["row"] for each in report["invalid_rows"]] == [5, 6]
        assert "column text" in report["invalid_rows"][1]["reason"]
        assert not [each for each in (CARD, "440524188001010014", "无", "1.1010") if each in answer.text]
    assert (await send(web, "/imports/preview", CARDS)).json()["mapping"]["id_card"] == 2
    twin = {"display_name": "Somebody", "identities": [{"provider": "id_card", "external_id": CARD.lower()}]}
    [suspect] = (await web.post("/customers/check", json=twin)).json()
    assert (suspect["display_name"], suspect["is_strong"]) == ("Ada Lovelace", True)
    async with database.read() as session:
        kept = (await session.scalars(select(ExternalIdentity.external_id))).all()
    assert [len(each) for each in kept] == [64, 64]
    record = (await web.get(f"/customers/{suspect['customer_id']}/record")).text
    assert CARD not in record
    assert CARD not in (await web.get("/exports/customers.csv")).text


async def test_a_long_number_that_a_spreadsheet_has_rounded_is_not_taken_for_a_card(web: httpx.AsyncClient) -> None:
    book = Workbook()
    for row in (["Name", "身份证"], ["Ada", 110105194912310021], ["Ben", "440524188001010014"]):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    report = (await send(web, "/imports", file.getvalue(), "a.xlsx")).json()["report"]
    assert (report["created"], [each["row"] for each in report["invalid_rows"]]) == (1, [2])


async def test_an_import_taken_back_takes_its_cards_along(web: httpx.AsyncClient, database: Database) -> None:
    job = (await send(web, "/imports", CARDS)).json()
    assert (await web.post(f"/imports/{job['id']}/undo")).json()["removed"] == 3
    async with database.read() as session:
        assert (await session.scalars(select(ExternalIdentity))).all() == []
    assert (await send(web, "/imports", CARDS)).json()["report"]["created"] == 3


@pytest.mark.parametrize(
    ("name", "body", "query", "code"),
    [
        ("a.csv", b"", {}, "invalid-file"),
        ("a.csv", b"\xff\xfe\x00", {}, "invalid-file"),
        ("a.csv", b'name,phone\n"Ada,1', {}, "invalid-file"),
        ("a.xlsx", b"PK but no zip", {}, "invalid-file"),
        ("a.csv", b"colour,size\nred,3", {}, "invalid-field"),
        ("a.csv", b"name\nAda", {"mapping": "{"}, "invalid-field"),
        ("a.csv", b"name\nAda", {"mapping": '{"display_name": 7}'}, "invalid-field"),
        ("a.csv", b"name\nAda", {"mapping": '{"display_name": true}'}, "invalid-field"),
        ("a.csv", b"name\nAda", {"mapping": '{"shoe": 0}'}, "invalid-field"),
        ("a.csv", b"," * 300, {}, "invalid-file"),
    ],
)
async def test_what_is_no_table_is_refused(
    web: httpx.AsyncClient, name: str, body: bytes, query: dict[str, str], code: str
) -> None:
    for path in ("/imports/preview", "/imports"):
        assert problem(await send(web, path, body, name, **query))[:2] == (422, code)


async def test_importing_and_exporting_need_their_permissions(web: httpx.AsyncClient) -> None:
    headers = {"x-roles": "agent"}
    for method, path in (("POST", "/imports?file_name=a.csv"), ("GET", "/exports/customers.csv")):
        assert problem(await web.request(method, path, headers=headers))[:2] == (403, "forbidden")


def test_delimiters_and_marks_of_other_programs_are_understood() -> None:
    for text in ("\ufeffname;phone\r\nAda;1\r\n", "name\tphone\nAda\t1\n", "name,phone\n\n\nAda,1"):
        rows = list(read_table(io.BytesIO(text.encode()), "x.csv"))
        assert [row.cells for row in rows] == [("name", "phone"), ("Ada", "1")]
        assert rows[1].number in (2, 4)


def test_a_header_is_guessed_in_two_languages_and_no_column_twice() -> None:
    assert guess_mapping(["Surname", "FIRST_NAME", "联系电话", "Phone 2"]) == {
        "family_name": 0,
        "given_name": 1,
        "phone": 2,
        "phone_2": 3,
    }


@given(st.text() | st.text("'=+-@\t 1"))
def test_a_cell_that_was_made_safe_is_no_formula_and_comes_back(text: str) -> None:
    safe = safe_cell(text)
    assert not safe.startswith(("=", "@"))
    assert plain_cell(safe) == text.strip()


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for name in ("x.csv", "x.xlsx"):
        try:
            for row in read_table(io.BytesIO(data), name):
                assert len(row.cells) <= 200
        except InvalidFile:
            pass


def test_rows_are_read_one_by_one() -> None:
    """A million rows are not held: the second row is there when the rest has not been written yet."""
    lines = csv_lines([("name",), ("Ada",)])
    assert next(lines) == "name\r\n"
    assert next(lines) == "Ada\r\n"


@given(st.lists(st.text(max_size=20), min_size=1, max_size=3))
def test_any_text_goes_into_a_workbook_and_comes_back_but_for_what_xml_cannot_hold(cells: list[str]) -> None:
    file = io.BytesIO()
    writer = XlsxWriter("customers")
    writer.write([["name"] * len(cells), [f"a{cell}" for cell in cells]])
    writer.save(file)
    _, row = read_table(file, "a.xlsx")
    for cell, back in zip(cells, row.cells, strict=True):
        assert len(back) <= len(f"a{cell}")
        if cell.isprintable():
            assert back == f"a{cell}".strip()


def test_a_table_longer_than_a_sheet_goes_on_in_the_next_and_is_read_as_one() -> None:
    file = io.BytesIO()
    writer = XlsxWriter("customers", sheet_rows=4)
    for start in range(0, 10, 2):
        writer.write([["name", "phone"]] if start == 0 else [])
        writer.write([[f"Ada {n}", f"+86139{n:08}"] for n in range(start, start + 2)])
    writer.save(file)
    assert load_workbook(file).sheetnames == ["customers", "customers 2", "customers 3", "customers 4"]
    header, *rows = read_table(file, "a.xlsx")
    assert header.cells == ("name", "phone")
    assert [row.cells[0] for row in rows] == [f"Ada {n}" for n in range(10)]


async def test_a_name_with_characters_that_no_workbook_holds_is_exported(web: httpx.AsyncClient) -> None:
    await enter(web, "Ada \x0b\x1f\ufffe Lovelace", NUMBER)
    answer = await web.get("/exports/customers.xlsx")
    assert answer.status_code == 200
    _, row = read_table(io.BytesIO(answer.content), "a.xlsx")
    assert row.cells[1].startswith("Ada \ufffd")
