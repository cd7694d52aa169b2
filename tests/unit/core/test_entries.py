"""Whatever the routing engine can be told has a place in the journal."""

from typing import get_args

import pytest

from acd.events import ContactFinished, Event, FloorConfigured, WrapUpFinished
from acd.ids import AgentId, ContactId
from callcenter.calls.facts import CallFact, CallHeld
from callcenter.calls.quality_facts import QualityFact
from callcenter.calls.recording_facts import CardEntryFact, RecordingFact
from callcenter.calls.supervision_facts import SupervisionFact
from callcenter.calls.voicemail_facts import VoicemailFact
from callcenter.entries import KIND_OF, subject_of

pytestmark = pytest.mark.unit


def test_every_routing_input_and_every_call_fact_can_be_journaled() -> None:
    assert {
        *get_args(Event),
        *get_args(CallFact),
        *get_args(RecordingFact),
        *get_args(SupervisionFact),
        *get_args(VoicemailFact),
        *get_args(CardEntryFact),
        *get_args(QualityFact),
    } <= set(KIND_OF)


@pytest.mark.parametrize(
    ("entry", "subject"),
    [
        (CallHeld("c1", 5, "c1.2", "anna"), "c1"),
        (ContactFinished(ContactId("c1.2")), "c1.2"),
        (WrapUpFinished(AgentId("anna"), ContactId("c1")), "c1"),
        (WrapUpFinished(AgentId("anna")), "anna"),
        (FloorConfigured(queues=(), agents=()), None),
    ],
)
def test_an_entry_is_about_its_call_or_contact_else_its_agent(entry: object, subject: str | None) -> None:
    assert subject_of(entry) == subject
