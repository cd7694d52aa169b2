"""Whatever the routing engine can be told has a place in the journal."""

from typing import get_args

import pytest

from acd.events import Event
from callcenter.calls.facts import CallFact
from callcenter.calls.quality_facts import QualityFact
from callcenter.calls.recording_facts import CardEntryFact, RecordingFact
from callcenter.calls.supervision_facts import SupervisionFact
from callcenter.calls.voicemail_facts import VoicemailFact
from callcenter.entries import KIND_OF

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
