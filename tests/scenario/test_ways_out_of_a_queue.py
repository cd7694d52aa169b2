"""Who leaves a queue by its key, for a message or a callback, or goes on to another queue: on the wallboard and in the
statistics nobody is lost, at any instant, and nobody who chose another way has given up."""

from collections import Counter
from typing import Any

import pytest

from callcenter.audit.recount import audit
from callcenter.replay import replay
from callcenter.reporting.postings import Rules, Subject, SubjectKind
from callcenter.reporting.report import Wanted, report
from callcenter.reporting.statistics import Statistics
from callcenter.site.models import Site
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house, small_site
from tests.support.virtual_time import in_virtual_time, pass_seconds, settle

pytestmark = pytest.mark.scenario

ADA, BOB, EVE, ZOE = (f"+1202555011{number}" for number in range(4))
FLOW = """
[flow]
name = "main"
start = "answer"
languages = ["en"]

[prompts]
choose = { en = "Press 1 to be called back, or leave a message." }

[steps.answer]
type = "answer"
next = "wait"

[steps.wait]
type = "queue"
queue = "sales"
otherwise = "choose"

[steps.choose]
type = "menu"
prompt = "choose"
attempts = 1
on_failure = "message"
[steps.choose.choices]
1 = { next = "call_me", label = "Call me" }
2 = { next = "message", label = "Message" }

[steps.call_me]
type = "callback"
queue = "sales"
next = "end"
otherwise = "end"

[steps.message]
type = "voicemail"
box = "sales"
prompt = "choose"
next = "end"

[steps.end]
type = "hang_up"
"""
ENDS = ("answered", "abandoned", "short_abandoned", "flowed_out", "callback_converted")


def site(**queue: Any) -> Site:
    values = small_site().model_dump()
    values["queues"][0].update({"exit_key": "*", "callback_most": 5, **queue})
    return Site.model_validate(values)


async def key(house: House, leg: FakeLeg, digits: str) -> None:
    for digit in digits:
        house.core.switchboard.on_media_event(house.digit(leg, digit))
        await settle()


def balanced(house: House) -> Counter[str]:
    """The sums of the sales queue at the end, after the books were found to balance after every single entry."""
    statistics, sums = Statistics(Rules()), Counter[tuple[Subject, str]]()
    queues = [Subject(SubjectKind.QUEUE, queue) for queue in ("sales", "support")]
    for row in house.journal.rows:
        for posting in statistics.take(row):
            sums[posting.subject, posting.measure] += posting.amount
        for queue in queues:
            gone = sum(sums[queue, end] for end in ENDS)
            assert sums[queue, "offered"] == gone + statistics.waits.waiting(queue.id), row
            assert all(sums[queue, end] >= 0 for end in ENDS)
    assert replay(house.journal.rows).divergences == []
    assert audit(house.journal.rows).breaches == []
    return Counter({measure: count for (subject, measure), count in sums.items() if subject == queues[0]})


def wallboard(house: House, queue_id: str = "sales") -> tuple[int, int, int, int]:
    shown = house.queue(queue_id)
    return shown.offered, shown.answered, shown.abandoned, shown.waiting


@in_virtual_time
async def test_who_leaves_by_the_key_for_a_callback_is_converted_and_has_not_given_up() -> None:
    house = await open_house(site=site(), flow=FLOW)
    ada = await house.call(ADA)
    await pass_seconds(30)
    await key(house, ada, "*")
    assert wallboard(house) == (1, 0, 0, 0)
    assert balanced(house)["flowed_out"] == 1, "on the way"
    await key(house, ada, "1")
    sums = balanced(house)
    assert [sums[each] for each in ("offered", *ENDS)] == [1, 0, 0, 0, 0, 1]
    (line,) = [each for each in report(house.journal.rows, Wanted()).lines if each.subject.id == "sales"]
    assert (line.values["callback_converted"], line.values["lost"], line.values["abandon_rate"]) == (1, 0, 0.0)
    await house.sign_in("ben")
    await house.answer("ben")
    assert [number for _, number, _ in house.signalling.dialled] == [ADA]


@in_virtual_time
async def test_who_leaves_by_the_key_for_a_message_flowed_out_and_is_not_lost() -> None:
    house = await open_house(site=site(), flow=FLOW)
    ada = await house.call(ADA)
    await pass_seconds(10)
    await key(house, ada, "*2")
    await house.hear_out(ada)
    await pass_seconds(5)
    await key(house, ada, "#")
    assert ada.state == "ended"
    sums = balanced(house)
    assert [sums[each] for each in ("offered", *ENDS, "lost", "wait_split_ms")] == [1, 0, 0, 0, 1, 0, 0, 10_000]
    assert wallboard(house)[:3] == (1, 0, 0)
    assert len(house.core.items.open.items) <= 1


@in_virtual_time
async def test_everybody_counts_once_whichever_way_they_go() -> None:
    house = await open_house(site=site(longest_wait_seconds=60, otherwise="queue:support"), flow=FLOW)
    ada, bob, eve, zoe = [await house.call(number) for number in (ADA, BOB, EVE, ZOE)]
    await pass_seconds(3)
    await house.hang_up(ada)  # short
    await pass_seconds(10)
    await house.hang_up(bob)
    await key(house, eve, "*1")
    assert wallboard(house) == (4, 0, 2, 1), "Zoe waits; nobody does at the place in line for Eve"
    await pass_seconds(50)
    assert wallboard(house) == (4, 0, 2, 0), "Zoe went on"
    assert wallboard(house, "support") == (1, 0, 0, 1)
    await house.sign_in("chen")
    await house.answer("chen")
    assert wallboard(house, "support") == (1, 1, 0, 0)
    sums = balanced(house)
    assert [sums[each] for each in ("offered", *ENDS)] == [4, 0, 1, 1, 1, 1]
    await house.hang_up(zoe)
    balanced(house)
