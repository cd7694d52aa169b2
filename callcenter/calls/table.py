"""Every transition of a call: (state, what happened) to what is done and where it leads.

The search for somebody is the same with and without an agent there, so its rows are written once and laid down twice.
Orders of desks cross with what happens meanwhile; where one does not fit it changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from callcenter.calls import calling_back, dialling, ending, offers, picking_up, searching, talking
from callcenter.calls import events as ev
from callcenter.calls.call import Call
from callcenter.calls.states import CallState as S

Action = Callable[[Call, Any, int], None]
"""``action(call, event, now)``; it notes facts and effects in the call and never touches the state."""


@dataclass(frozen=True, slots=True)
class Row:
    """One transition: where it leads, and what is done."""

    to: S
    act: Action | None = None


Rows = dict[tuple[S, type[ev.CallEvent]], Row]


@dataclass(frozen=True, slots=True)
class _Search:
    """The states of a search: alone, or with an agent there."""

    queued: S
    offered: S
    connecting: S
    lost: S
    dialling: S
    found: S
    found_number: S
    failed: S
    connect: Action
    connect_number: Action
    fail: Action
    take: Action

    @property
    def states(self) -> tuple[S, ...]:
        return self.queued, self.offered, self.connecting, self.lost, self.dialling


ALONE = _Search(
    S.QUEUED,
    S.OFFERED,
    S.CONNECTING,
    S.AGENT_LOST,
    S.DIALLING,
    found=S.TALKING,
    found_number=S.PRIVATE,
    failed=S.QUEUED,
    connect=searching.connect,
    connect_number=searching.connect_number_alone,
    fail=searching.recall,
    take=picking_up.take,
)
ATTENDED = _Search(
    S.CONSULT_QUEUED,
    S.CONSULT_OFFERED,
    S.CONSULT_CONNECTING,
    S.CONSULT_LOST,
    S.CONSULT_DIALLING,
    found=S.CONSULTING,
    found_number=S.CONSULTING,
    failed=S.TALKING,
    connect=searching.connect_consulted,
    connect_number=searching.connect_number,
    fail=searching.fail,
    take=picking_up.take_beside,
)

ORDERS: tuple[type[ev.CallEvent], ...] = (
    ev.HoldOrdered,
    ev.ResumeOrdered,
    ev.TransferOrdered,
    ev.ConsultOrdered,
    ev.PartyBrought,
    ev.ExitChosen,
    ev.PartyTaken,
    ev.CompleteOrdered,
    ev.HandedOut,
    ev.CancelOrdered,
    ev.SwapOrdered,
    ev.ConferenceOrdered,
    ev.ParkOrdered,
    ev.RetrieveOrdered,
    ev.DeclineOrdered,
    ev.HangUpOrdered,
    ev.ParkExpired,
    ev.SearchFailed,
    ev.EngagementRefused,
    ev.CustomerEarlyMedia,
    ev.NumberEarlyMedia,
    ev.PickedUp,
    ev.PickUpGranted,
    ev.PickUpRefused,
    ev.LegMoved,
    ev.Greeted,
)
"""Events that may cross with anything: in a state that has no row for one it changes nothing."""


def _search_rows(s: _Search) -> Rows:
    rows: Rows = {
        (s.queued, ev.AgentOffered): Row(s.offered, offers.take_offer),
        (s.queued, ev.QueueMoved): Row(s.queued, searching.move_on),
        (s.queued, ev.DialStarted): Row(s.dialling),
        (s.queued, ev.StillOffered): Row(s.offered),
        (s.queued, ev.StillConnecting): Row(s.connecting),
        (s.queued, ev.StillLost): Row(s.lost),
        (s.offered, ev.AgentAnswered): Row(s.connecting, offers.report_answer),
        (s.offered, ev.PickedUp): Row(s.offered, picking_up.ask),
        (s.offered, ev.PickUpGranted): Row(s.found, s.take),
        (s.offered, ev.PickUpRefused): Row(s.offered, picking_up.refuse),
        (s.connecting, ev.AgentAnswered): Row(s.connecting, offers.report_answer),
        (s.connecting, ev.OfferConfirmed): Row(s.found, s.connect),
        (s.connecting, ev.OfferTooLate): Row(s.queued, offers.come_too_late),
        (s.connecting, ev.AgentGone): Row(s.lost, offers.lose_phone),
        (s.lost, ev.AgentAnswered): Row(s.lost, offers.report_answer),
        (s.lost, ev.AgentGone): Row(s.lost, offers.lose_phone),
        (s.lost, ev.OfferConfirmed): Row(s.queued, offers.return_after_confirmation),
        (s.lost, ev.OfferTooLate): Row(s.queued, offers.come_too_late),
        (s.dialling, ev.NumberRinging): Row(s.dialling, searching.note_ringing),
        (s.dialling, ev.NumberEarlyMedia): Row(s.dialling, searching.hear_number),
        (s.dialling, ev.NumberAnswered): Row(s.found_number, s.connect_number),
        (s.dialling, ev.NumberRefused): Row(s.failed, s.fail),
    }
    for state in (s.offered, s.connecting, s.lost):  # the end of one offer leads on by itself where others stand
        rows |= {
            (state, ev.AgentRinging): Row(state, searching.note_ringing),
            (state, ev.AgentRefused): Row(s.queued, offers.be_refused),
            (state, ev.DeclineOrdered): Row(s.queued, offers.be_declined),
            (state, ev.OfferTakenBack): Row(s.queued, offers.lose_offer),
        }
        rows.setdefault((state, ev.AgentOffered), Row(state, offers.take_offer))
    rows |= {(state, ev.SearchFailed): Row(s.failed, s.fail) for state in s.states}
    return rows


def _attended_rows() -> Rows:
    rows: Rows = {}
    for attended, alone in zip(ATTENDED.states, ALONE.states, strict=True):
        rows |= {
            (attended, ev.CustomerGone): Row(S.ENDED, ending.end_by_customer),
            (attended, ev.AgentLeft): Row(alone, talking.leave_search),
            (attended, ev.HangUpOrdered): Row(alone, talking.leave_search),
            (attended, ev.CancelOrdered): Row(S.TALKING, searching.cancel),
            (attended, ev.ResumeOrdered): Row(S.TALKING, searching.cancel),
            (attended, ev.SwapOrdered): Row(attended, searching.swap),
            (attended, ev.LegMoved): Row(attended, picking_up.move_meanwhile),
            (attended, ev.HoldOrdered): Row(attended, searching.wait_for_party),
        }
    return rows


def _together_rows() -> Rows:
    """Customer, agent and second party are there."""
    rows: Rows = {
        (S.CONSULTING, ev.SwapOrdered): Row(S.SWAPPED, talking.resume),
        (S.CONSULTING, ev.ResumeOrdered): Row(S.SWAPPED, talking.resume),
        (S.SWAPPED, ev.SwapOrdered): Row(S.CONSULTING, talking.consult),
        (S.SWAPPED, ev.HoldOrdered): Row(S.CONSULTING, talking.consult),
        (S.CONFERENCE, ev.SwapOrdered): Row(S.CONSULTING, talking.consult),
        (S.CONFERENCE, ev.HoldOrdered): Row(S.CONSULTING, talking.consult),
        (S.CONSULTING, ev.ConferenceOrdered): Row(S.CONFERENCE, talking.join_all),
        (S.SWAPPED, ev.ConferenceOrdered): Row(S.CONFERENCE, talking.join_all),
    }
    for state in (S.CONSULTING, S.SWAPPED, S.CONFERENCE):
        rows |= {
            (state, ev.CompleteOrdered): Row(S.TALKING, talking.complete),
            (state, ev.LegMoved): Row(state, picking_up.move_meanwhile),
            (state, ev.HandedOut): Row(S.PRIVATE, talking.hand_out),
            (state, ev.CancelOrdered): Row(S.TALKING, talking.drop_consulted),
            (state, ev.ConsultedLeft): Row(S.TALKING, talking.drop_consulted),
            (state, ev.AgentLeft): Row(state, talking.then_complete),
            (state, ev.HangUpOrdered): Row(state, talking.then_complete),
            (state, ev.CustomerGone): Row(S.ENDED, ending.end_by_customer),
        }
    return rows


def _talk_rows() -> Rows:
    """Customer and agent are there."""
    rows: Rows = {
        (S.TALKING, ev.HoldOrdered): Row(S.HELD, talking.hold),
        (S.TALKING, ev.ColleagueOrdered): Row(S.TALKING, talking.change_places),
        (S.HELD, ev.ResumeOrdered): Row(S.TALKING, talking.resume),
        (S.HELD, ev.PickedUp): Row(S.HELD, picking_up.ask_for_held),
        (S.HELD, ev.PickUpGranted): Row(S.TALKING, picking_up.take_held),
        (S.HELD, ev.PickUpRefused): Row(S.HELD, picking_up.leave_held),
        (S.TALKING, ev.PartyTaken): Row(S.ENDED, ending.be_taken),
        (S.HELD, ev.PartyTaken): Row(S.ENDED, ending.be_taken),
    }
    for state in (S.TALKING, S.HELD):
        rows |= {
            (state, ev.CustomerGone): Row(S.ENDED, ending.end_by_customer),
            (state, ev.AgentLeft): Row(S.ENDED, ending.end_by_agent_leg),
            (state, ev.HangUpOrdered): Row(S.ENDED, ending.end_by_desk),
            (state, ev.TalkOver): Row(S.IN_FLOW, talking.go_on_alone),
            (state, ev.TransferOrdered): Row(S.CONSULT_QUEUED, searching.seek),
            (state, ev.ConsultOrdered): Row(S.CONSULT_QUEUED, searching.seek),
            (state, ev.PartyBrought): Row(S.CONSULTING, talking.bring),
            (state, ev.LegMoved): Row(state, picking_up.move),
            (state, ev.ParkOrdered): Row(S.PARKED, talking.park),
        }
    return rows


def _filled(rows: Rows) -> Rows:
    """With what may happen in every state: the end of media and of the house, and orders that cross."""
    for state in S:
        breaks = Row(S.ENDED) if state is S.ENDED else Row(S.ENDED, ending.break_off)
        rows.setdefault((state, ev.MediaFailed), breaks)
        rows.setdefault((state, ev.ShutdownOrdered), breaks)
        for order in ORDERS:
            rows.setdefault((state, order), Row(state))
    return rows


TABLE: Mapping[tuple[S, type[ev.CallEvent]], Row] = _filled(
    {
        # The flow speaks with the customer, or an agent calls somebody.
        (S.IN_FLOW, ev.AnswerRequested): Row(S.IN_FLOW, searching.answer),
        (S.IN_FLOW, ev.QueueRequested): Row(S.QUEUED, searching.enter_queue),
        (S.IN_FLOW, ev.HangUpRequested): Row(S.ENDED, ending.end_by_flow),
        (S.IN_FLOW, ev.CustomerGone): Row(S.ENDED, ending.abandon_in_flow),
        (S.IN_FLOW, ev.DialOrdered): Row(S.CALLING_AGENT, dialling.dial),
        (S.IN_FLOW, ev.PhoneDialled): Row(S.CALLING, dialling.phone_dialled),
        (S.CALLING_AGENT, ev.AgentRinging): Row(S.CALLING_AGENT),
        (S.CALLING_AGENT, ev.AgentAnswered): Row(S.CALLING, dialling.call_out),
        (S.CALLING_AGENT, ev.AgentRefused): Row(S.ENDED, dialling.own_phone_silent),
        (S.CALLING_AGENT, ev.SearchFailed): Row(S.ENDED, dialling.own_phone_silent),
        (S.CALLING_AGENT, ev.EngagementRefused): Row(S.ENDED, dialling.not_engaged),
        (S.CALLING_AGENT, ev.AgentLeft): Row(S.ENDED, dialling.give_up),
        (S.CALLING_AGENT, ev.HangUpOrdered): Row(S.ENDED, dialling.give_up),
        (S.CALLING, ev.CustomerRinging): Row(S.CALLING, dialling.note_called_ringing),
        (S.CALLING, ev.CustomerEarlyMedia): Row(S.CALLING, dialling.hear_called),
        (S.CALLING, ev.CustomerAnswered): Row(S.TALKING, dialling.reach),
        (S.CALLING, ev.CustomerRefused): Row(S.ENDED, dialling.not_reach),
        (S.CALLING, ev.EngagementRefused): Row(S.ENDED, dialling.not_engaged),
        (S.CALLING, ev.AgentLeft): Row(S.ENDED, dialling.give_up),
        (S.CALLING, ev.HangUpOrdered): Row(S.ENDED, dialling.give_up),
        (S.CALLING, ev.PickedUp): Row(S.CALLING, picking_up.ask_for_called),
        (S.CALLING, ev.PickUpGranted): Row(S.TALKING, picking_up.take_called),
        (S.CALLING, ev.PickUpRefused): Row(S.CALLING, picking_up.leave_called),
        # A callback that dials the customer first.
        (S.IN_FLOW, ev.CallBackOrdered): Row(S.REACHING, calling_back.dial_customer),
        (S.REACHING, ev.CustomerRinging): Row(S.REACHING),
        (S.REACHING, ev.CustomerAnswered): Row(S.GREETING, calling_back.greet),
        (S.REACHING, ev.CustomerRefused): Row(S.ENDED, dialling.not_reach),
        (S.REACHING, ev.QueueVanished): Row(S.ENDED, calling_back.lose_place),
        (S.GREETING, ev.Greeted): Row(S.QUEUED, calling_back.join_line),
        (S.GREETING, ev.CustomerGone): Row(S.ENDED, ending.abandon_in_flow),
        (S.GREETING, ev.QueueVanished): Row(S.ENDED, calling_back.lose_place),
        # The customer waits: for the first agent, after a transfer, or for whom it comes back to.
        **_search_rows(ALONE),
        **{(state, ev.CustomerGone): Row(S.ENDED, ending.abandon) for state in ALONE.states},
        **{(state, ev.QueueVanished): Row(S.ENDED, ending.lose_queue) for state in ALONE.states},
        (S.QUEUED, ev.QueueLeft): Row(S.IN_FLOW, searching.return_to_flow),
        (S.QUEUED, ev.ExitChosen): Row(S.IN_FLOW, searching.leave_by_key),
        (S.OFFERED, ev.ExitChosen): Row(S.IN_FLOW, searching.leave_by_key),
        (S.QUEUED, ev.QueueGaveUp): Row(S.ENDED, ending.turn_away),
        (S.QUEUED, ev.NobodyLeft): Row(S.ENDED, ending.leave_nobody),
        # They talk, and the agent may want somebody else.
        **_talk_rows(),
        **_search_rows(ATTENDED),
        **_attended_rows(),
        **_together_rows(),
        (S.PRIVATE, ev.LeftWithNumber): Row(S.TALKING, talking.have_number),
        (S.PRIVATE, ev.HangUpOrdered): Row(S.ENDED, ending.end_by_supervisor),
        (S.PRIVATE, ev.CustomerGone): Row(S.ENDED, ending.end_by_customer),
        (S.PRIVATE, ev.ConsultedLeft): Row(S.ENDED, ending.end_by_outside),
        # The customer waits in a park slot.
        (S.PARKED, ev.CustomerGone): Row(S.ENDED, ending.abandon),
        (S.PARKED, ev.RetrieveOrdered): Row(S.RETRIEVING, talking.retrieve),
        (S.PARKED, ev.ParkExpired): Row(S.QUEUED, searching.recall),
        (S.PARKED, ev.PickedUp): Row(S.RETRIEVING, picking_up.ask_for_parked),
        (S.RETRIEVING, ev.PickUpGranted): Row(S.TALKING, picking_up.take_parked),
        (S.RETRIEVING, ev.PickUpRefused): Row(S.PARKED, picking_up.leave_parked),
        (S.RETRIEVING, ev.CustomerGone): Row(S.ENDED, ending.abandon),
        (S.RETRIEVING, ev.AgentRinging): Row(S.RETRIEVING),
        (S.RETRIEVING, ev.AgentAnswered): Row(S.TALKING, talking.take_up),
        (S.RETRIEVING, ev.AgentRefused): Row(S.PARKED, talking.park_again),
        (S.RETRIEVING, ev.SearchFailed): Row(S.PARKED, talking.park_again),
        (S.RETRIEVING, ev.HangUpOrdered): Row(S.PARKED, talking.park_again),
        # Over; what crosses the end changes nothing.
        **{
            (S.ENDED, event): Row(S.ENDED)
            for event in (
                *(
                    ev.AnswerRequested,
                    ev.QueueRequested,
                    ev.HangUpRequested,
                    ev.DialOrdered,
                    ev.PhoneDialled,
                    ev.CallBackOrdered,
                ),
                *(ev.CustomerGone, ev.CustomerRinging, ev.CustomerAnswered, ev.CustomerRefused),
                *(ev.AgentOffered, ev.QueueVanished, ev.QueueMoved, ev.QueueLeft, ev.QueueGaveUp),
            )
        },
    }
)
"""The table."""
