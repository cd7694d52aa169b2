"""What is open is kept by id, and a note of it is as good as all that came before."""

import pytest

from acd.events import Channel
from callcenter.calls.callback_facts import CallbackClosed, CallbackRequested, CallbackResult
from callcenter.calls.facts import CallArrived, CallClosed, EndedBy, Outcome
from callcenter.calls.record import OpenRecord
from callcenter.calls.record import fold as record_of
from callcenter.calls.recording_facts import RecordingImpaired, RecordingStarted, RecordingStored
from callcenter.calls.voicemail import NOT_STARTED
from callcenter.calls.voicemail_facts import VoicemailBegun, VoicemailHeard, VoicemailWorked
from callcenter.channels.facts import ItemArrived, ItemClosed, ItemRecord, ItemResult
from callcenter.open_work import REMEMBERED, OpenWork, fold

pytestmark = pytest.mark.unit


def item(contact_id: str, parent_id: str = "") -> ItemArrived:
    return ItemArrived(contact_id, 1, Channel.MESSAGE, "sales", "+12025550111", parent_id=parent_id)


def closed(contact_id: str) -> ItemClosed:
    record = ItemRecord(
        contact_id, Channel.MESSAGE, "", "", "", "sales", "", "", "", ItemResult.LEFT, 1, None, 2, 0
    )  # fmt: skip
    return ItemClosed(contact_id, 2, "", record)


OPENED = (
    CallbackRequested("promised", 1, "+12025550111", "sales", 1),
    VoicemailBegun("talk", 1, "talk-v1", "sales", "+12025550111", "", "en"),
    item("mail-1", "mail"),
    VoicemailHeard("mail-1", 1, "anna", "sales"),
    item("mail-2"),
    closed("mail-2"),
)


ARRIVED = CallArrived("call", 1, "+12025550111", "", "+12025550100", "trunk", "sip", "main")
STARTED = RecordingStarted("call", 1, "call-r1", "anna", "sales", "standard", announced=True)
STORED = RecordingStored("call", 2, "call-r1", "call-r1.ccr", "", 1, None)
BEGUN = VoicemailBegun("talk", 1, "talk-v1", "sales", "+12025550111", "", "en")
SOMETHING = ("calls", "items", "heard", "spoken", "recordings", "callbacks")


def over() -> CallClosed:
    opened = record_of([ARRIVED])
    assert isinstance(opened, OpenRecord)
    return CallClosed("call", 2, opened.closed(Outcome.ABANDONED, EndedBy.CUSTOMER, ended_at=2))


def left(work: OpenWork) -> dict[str, list[str]]:
    """What is open, by kind; kinds of which nothing is are left out."""
    return {kind: list(found) for kind in SOMETHING if (found := getattr(work, kind))}


@pytest.mark.parametrize(
    ("entries", "opened"),
    [
        ((ARRIVED,), {"calls": ["call"]}),
        ((ARRIVED, over()), {}),
        ((CallbackRequested("promised", 1, "+1", "sales", 1),), {"callbacks": ["promised"]}),
        (
            (
                CallbackRequested("promised", 1, "+1", "sales", 1),
                CallbackClosed("promised", 2, CallbackResult.REACHED),
            ),
            {},
        ),
        ((STARTED,), {"recordings": ["call-r1"]}),
        ((STARTED, STORED), {}),
        ((STARTED, RecordingImpaired("call", 2, "call-r1", NOT_STARTED)), {}),
        ((STARTED, RecordingImpaired("call", 2, "call-r1", "stalled")), {"recordings": ["call-r1"]}),
        ((BEGUN,), {"spoken": ["talk-v1"], "recordings": ["talk-v1"]}),
        ((BEGUN, VoicemailWorked("talk-v1", 2, "system", "sales")), {"recordings": ["talk-v1"]}),
        ((BEGUN, item("talk-v1", "talk")), {"items": ["talk-v1"], "recordings": ["talk-v1"]}),
        ((item("mail"), VoicemailHeard("mail", 1, "anna", "sales")), {"items": ["mail"], "heard": ["mail"]}),
        ((item("mail"), VoicemailHeard("mail", 1, "anna", "sales"), closed("mail")), {}),
        ((VoicemailHeard("mail", 1, "anna", "sales"),), {}),
    ],
)
def test_each_entry_opens_or_closes_what_it_is_about(entries: tuple[object, ...], opened: dict[str, list[str]]) -> None:
    assert left(fold(None, entries)) == opened
    for place in range(len(entries) + 1):
        noted = fold(None, entries[:place]).note(9)
        assert fold(noted, entries[place:]) == fold(None, entries), f"noted after {place}"


def test_a_note_holds_what_is_open_and_nothing_of_any_person() -> None:
    work = fold(None, OPENED)
    assert work.subjects() == ["mail-1", "promised", "mail", "talk"]
    assert (list(work.heard), list(work.ended_items)) == (["mail-1"], ["mail-2"])
    assert OpenWork.of(work.note(9)) == work == fold(work.note(9), ())
    assert "+1202555" not in repr(work.note(9))


def test_what_is_over_is_forgotten_but_for_the_last_items() -> None:
    work = fold(None, OPENED)
    for entry in (
        item("talk-v1", "talk"),
        RecordingImpaired("talk", 2, "talk-v1", NOT_STARTED),
        VoicemailWorked("talk-v1", 2, "system", "sales"),
        closed("talk-v1"),
        closed("mail-1"),
        *(each for number in range(REMEMBERED) for each in (item(f"i{number}"), closed(f"i{number}"))),
    ):
        work.take(entry)
    assert work.subjects() == ["promised"]
    assert (len(work.ended_items), "mail-1" in work.ended_items) == (REMEMBERED, False)
