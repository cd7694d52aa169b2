"""A house that calls back, and what tests do there: ask for a callback, see what was dialled and what came of it."""

from typing import Any

from callcenter.audit.recount import audit
from callcenter.calls.audio import GREETING_PLAY
from callcenter.calls.callback_facts import CallbackClosed, CallbackResult
from callcenter.replay import replay
from callcenter.site.models import Site
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, small_site
from tests.support.virtual_time import settle

ADA, BOB, EVE = "+12025550111", "+12025550112", "+12025550113"

FLOW = """
[flow]
name = "main"
start = "answer"
languages = ["en"]

[prompts]
choose = { en = "Press 1 to be called back, or stay on the line." }
promised = { en = "We will call you." }

[steps.answer]
type = "answer"
next = "choose"

[steps.choose]
type = "menu"
prompt = "choose"
attempts = 1
on_failure = "wait"
[steps.choose.choices]
1 = { next = "call_me", label = "Call me" }
2 = { next = "wait", label = "Wait" }

[steps.call_me]
type = "callback"
queue = "sales"
next = "promised"
otherwise = "wait"

[steps.promised]
type = "play"
prompt = "promised"
next = "end"

[steps.end]
type = "hang_up"
reason = "callback_promised"

[steps.wait]
type = "queue"
queue = "sales"
"""
RULES: dict[str, Any] = {
    "callback_most": 2,
    "callback_attempts": 2,
    "callback_retry_seconds": 60,
    "callback_within_seconds": 600,
    "wrap_up_seconds": 5,
}


def callback_site(**changes: Any) -> Site:
    """The small site, whose queue *sales* calls back; ``changes`` are of that queue."""
    values = small_site().model_dump()
    values["queues"][0].update(RULES | changes)
    return Site.model_validate(values)


async def promise(house: House, caller: str) -> None:
    """A customer asks for a callback and hangs up."""
    leg = await house.call(caller)
    house.core.switchboard.on_media_event(house.digit(leg, "1"))
    await settle()
    house.media.finish_play("prompt-2", of=house.call_id(leg))
    await settle()
    assert leg.state == "ended"


async def wait_in_line(house: House, caller: str) -> FakeLeg:
    """A customer calls and waits in the queue."""
    leg = await house.call(caller)
    house.core.switchboard.on_media_event(house.digit(leg, "2"))
    await settle()
    return leg


async def pick_up(house: House, leg: FakeLeg) -> None:
    """A customer who is called first answers, and hears the greeting to its end."""
    house.signalling.answer_phone(leg)
    await settle()
    house.media.finish_play(GREETING_PLAY, of=house.call_id(leg))
    await settle()


def dialled(house: House) -> list[FakeLeg]:
    """The legs to numbers outside, in order."""
    return [house.signalling.legs[leg_id] for leg_id, _, _ in house.signalling.dialled]


def numbers(house: House) -> list[str]:
    """What was dialled, in order."""
    return [number for _, number, _ in house.signalling.dialled]


def results(house: House) -> list[CallbackResult]:
    """How the callbacks ended that are over, in order."""
    return [entry.result for entry in house.journal.entries if isinstance(entry, CallbackClosed)]


def consistent(house: House) -> None:
    """Assert that the journal replays, and that the auditor finds nothing."""
    house.core._write_snapshot()
    assert replay(house.journal.rows).divergences == []
    assert audit(house.journal.rows).breaches == []
