"""Where card entry may go on, told for every transition of the call machine."""

import pytest

from callcenter.calls import events as ev
from callcenter.calls.card_entry import ENTRY_STATES, may_go_on
from callcenter.calls.segments import Seat
from callcenter.calls.states import CallState
from callcenter.calls.table import TABLE

pytestmark = pytest.mark.unit

ANNA = Seat("leg-a", "c1", "anna", "sales")
BEN = Seat("leg-b", "c1.2", "ben", "sales")
STAYS = {ev.HoldOrdered, ev.ResumeOrdered}
"""What an agent may do meanwhile without leaving it."""
LEAVES = {
    ev.TransferOrdered, ev.ConsultOrdered, ev.ParkOrdered, ev.PartyBrought, ev.PartyTaken, ev.CustomerGone,
    ev.AgentLeft, ev.TalkOver, ev.HangUpOrdered, ev.MediaFailed, ev.ShutdownOrdered,
}  # fmt: skip


def test_every_row_out_of_a_conversation_either_keeps_the_customer_with_the_agent_or_leaves_card_entry() -> None:
    rows = {(state, event): row.to for (state, event), row in TABLE.items() if state in ENTRY_STATES and row.act}
    left = {event for (_, event), to in rows.items() if to not in ENTRY_STATES}
    assert left == LEAVES
    for (_, event), to in rows.items():
        if event in STAYS:
            assert may_go_on(ANNA, to, ANNA)
        elif event in LEAVES:
            assert not may_go_on(ANNA, to, ANNA)


@pytest.mark.parametrize("state", list(CallState))
def test_it_belongs_to_the_agent_who_began_it_and_to_nobody_after(state: CallState) -> None:
    assert may_go_on(ANNA, state, ANNA) is (state in {CallState.TALKING, CallState.HELD})
    assert not may_go_on(ANNA, state, BEN)
    assert not may_go_on(ANNA, state, None)
