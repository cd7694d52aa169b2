"""Record linkage on people whose true clusters are known."""

import csv
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_bridge.duplicates import CERTAIN_BITS, find_links, split_name
from crm_bridge.linkage import Link, Linker, LinkRecord, candidate_pairs, learn
from crm_bridge.similarity import edits_between, jaro_winkler

pytestmark = pytest.mark.unit

PEOPLE = Path(__file__).parents[4] / "shared" / "data" / "crm" / "splink_fake_1000.csv"
TRUE_PAIRS = 2031


@cache
def people() -> tuple[list[LinkRecord], dict[int, str]]:
    if not PEOPLE.exists():
        pytest.skip("the people with known clusters are not here")
    with PEOPLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    records = [
        LinkRecord(
            id=int(row["unique_id"]),
            first_name=row["first_name"].casefold(),
            last_name=row["surname"].casefold(),
            birth_date=row["dob"],
            city=row["city"].casefold(),
            emails=frozenset({row["email"].casefold()} if row["email"] else ()),
        )
        for row in rows
    ]
    return records, {int(row["unique_id"]): row["cluster"] for row in rows}


def clusters(records: Iterable[LinkRecord], links: Iterable[Link]) -> list[list[int]]:
    """The links followed to their ends."""
    above = {record.id: record.id for record in records}

    def top(one: int) -> int:
        while above[one] != one:
            one = above[one]
        return one

    for link in links:
        above[top(link.left)] = top(link.right)
    members: dict[int, list[int]] = defaultdict(list)
    for one in above:
        members[top(one)].append(one)
    return list(members.values())


@cache
def linker_of_people() -> Linker:
    return learn(people()[0])


def test_at_even_odds_precision_is_99_percent_and_recall_close_to_90(
    record_property: Callable[[str, object], None],
) -> None:
    """Learnt without labels; the labels only judge. The e-mail alone has precision 1.0 and recall 0.336."""
    records, truth = people()
    linker = linker_of_people()
    links = [linker.compare(a, b) for a, b in candidate_pairs(records)]
    found = right = 0
    for members in clusters(records, [link for link in links if link.score >= CERTAIN_BITS]):
        for index, one in enumerate(members):
            for other in members[index + 1 :]:
                found += 1
                right += truth[one] == truth[other]
    precision, recall = right / found, right / TRUE_PAIRS
    record_property("precision", precision)
    record_property("recall", recall)
    assert precision >= 0.99
    assert recall >= 0.88


def test_what_each_field_adds_is_told_and_sums_up_to_the_score() -> None:
    records, _ = people()
    linker = linker_of_people()
    link = linker.compare(records[1], records[2])
    assert {name for name, _ in link.signals} == {"name", "birth_date", "email"}
    weights = dict(link.signals)
    assert weights["email"] > 0
    other = linker.compare(records[1], records[500])
    prior = link.score - sum(weights.values())
    assert other.score == pytest.approx(prior + sum(weight for _, weight in other.signals))
    assert link.probability > 0.99 > 0.01 > other.probability


def test_a_value_everybody_has_says_less_than_a_rare_one() -> None:
    records = [
        LinkRecord(
            id=n, first_name=f"f{n % 50}", last_name=f"l{n % 37}", birth_date=f"19{n % 90:02d}-01-{n % 28 + 1:02d}"
        )
        for n in range(150)
    ]
    common = [LinkRecord(id=1000 + n, first_name="wei", last_name="wang", birth_date="") for n in range(40)]
    rare = [LinkRecord(id=2000 + n, first_name="ada", last_name="lovelace", birth_date="") for n in range(2)]
    linker = learn([*records, *common, *rare])
    assert linker.compare(rare[0], rare[1]).score > linker.compare(common[0], common[1]).score + 3


def test_learning_from_nothing_links_nothing() -> None:
    assert list(candidate_pairs([])) == []
    nobody = LinkRecord(id=1)
    assert learn([nobody, LinkRecord(id=2)]).compare(nobody, LinkRecord(id=2)).score <= 0


@pytest.mark.parametrize(
    ("name", "parts"),
    [("王小明", ("小明", "王")), ("ada lovelace", ("ada", "lovelace")), ("ada", ("", "ada")), ("a b c", ("a b", "c"))],
)
def test_names_are_split_as_they_are_written(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("a", "b", "value"), [("martha", "marhta", 0.9611), ("dwayne", "duane", 0.84), ("dixon", "dicksonx", 0.8133)]
)
def test_jaro_winkler_has_the_published_values(a: str, b: str, value: float) -> None:
    """Winkler (1990), as commonly quoted."""
    assert jaro_winkler(a, b) == pytest.approx(value, abs=1e-4)


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_similarities_are_symmetric_and_know_equals(a: str, b: str) -> None:
    assert edits_between(a, b) == edits_between(b, a)
    assert (edits_between(a, b) == 0) is (a == b)
    assert 0 <= jaro_winkler(a, b) <= 1 + 1e-9
    assert jaro_winkler(a, b) == pytest.approx(jaro_winkler(b, a))


@pytest.mark.parametrize("others", [0, 3, 30, 300, 1000])
def test_one_name_and_one_number_are_a_duplicate_whoever_else_is_there(others: int) -> None:
    """Among few and among many, although addresses differ and a son has the number, too. Two of one name are none, once
    enough people are there to say how much a name means."""
    here = {"phones": frozenset({"+12125550303"})}
    carla = LinkRecord(
        id=1, first_name="carla", last_name="twice", city="elm street", emails=frozenset({"carla@example.com"}), **here
    )
    again = LinkRecord(
        id=2, first_name="carla", last_name="twice", city="oak street", emails=frozenset({"ct@example.org"}), **here
    )
    son = LinkRecord(id=3, first_name="emil", last_name="twice", emails=frozenset({"emil@example.com"}), **here)
    two = ("+12125557777", "+16465550142")
    name = {"first_name": "john", "last_name": "smith"}
    johns = [LinkRecord(id=10 + n, **name, phones=frozenset({number})) for n, number in enumerate(two)]
    rng = random.Random(7)

    def word(length: int) -> str:
        return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=length))

    unrelated = [
        LinkRecord(
            id=100 + n,
            first_name=word(5),
            last_name=word(6),
            emails=frozenset({f"{word(8)}@example.net"} if n % 3 else ()),
            phones=frozenset({f"+1{rng.randrange(10**10):010d}"}),
        )
        for n in range(others)
    ]
    records = [carla, again, son, *johns, *unrelated]
    found = {(link.left, link.right) for link in find_links(records) if link.right < 100}
    assert (1, 2) in found
    assert others < 30 or (10, 11) not in found
