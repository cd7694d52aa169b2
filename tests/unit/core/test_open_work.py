"""What is open is kept by id, and a note of it is as good as all that came before."""

import pytest

from acd.events import Channel
from callcenter.calls.callback_facts import CallbackRequested
from callcenter.calls.recording_facts import RecordingImpaired
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
