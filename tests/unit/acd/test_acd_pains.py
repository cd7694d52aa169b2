"""What users of other queue engines complain about, told as stories that must come out well here.

Each test names the complaint in its docstring. Complaints about races in general are in ``test_acd_races``, about the
wrap-up over several queues in ``test_acd_presence``; those about transfers, browsers and stores are told elsewhere.
"""

from dataclasses import replace

import pytest

from acd.events import (
    AgentClientLost,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    DeclineCause,
    OfferAccepted,
    OfferDeclined,
    QueueSpec,
    RingStyle,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactOverflowed,
    OfferContact,
    OfferLapsed,
    OverflowReason,
    WithdrawOffer,
)
from acd.route_plans import StepGuard
from acd.wait_estimates import WaitEstimates
from tests.support.acd_floor import RING_MS, WRAP_UP_MS, Floor, agent, of, only, queue

pytestmark = pytest.mark.unit

A, B, C = AgentId("a"), AgentId("b"), AgentId("c")
Q = QueueId("q")


def ringing_all() -> Floor:
    floor = Floor(agent("a"), agent("b"), agent("c"), queues=[replace(queue("q"), ring=RingStyle.ALL)])
    floor.ready("a", "b", "c")
    floor.arrive("k")
    assert len(floor.acd.offers()) == 3
    return floor


def test_caller_who_hangs_up_while_all_ring_leaves_nobody_reserved() -> None:
    """FreeSWITCH 2540: agents stay Reserved after a ring-all."""
    floor = ringing_all()
    said = floor.tell(ContactLeft(ContactId("k")))
    assert len(of(said, WithdrawOffer)) == 3
    assert {each.state for each in floor.acd.agents()} == {AgentState.READY}


def test_hang_up_that_crosses_the_answer_ends_the_conversation() -> None:
    """FreeSWITCH 1973, OpenSIPS 2530: in call for hours, until somebody edits a table."""
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("k")
    floor.tell(ContactLeft(ContactId("k")))
    assert floor.agent("a").state is AgentState.WRAP_UP
    assert floor.tell(ContactFinished(ContactId("k"))) == [], "the second report of the same end changes nothing"
    floor.wait(WRAP_UP_MS)
    assert floor.agent("a").state is AgentState.READY


def test_wrap_up_is_a_state_that_others_see_with_its_end_and_its_contact() -> None:
    """Asterisk 1377: nobody sees who is in after-call work."""
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("k")
    told = only(floor.tell(ContactFinished(ContactId("k"))), AgentStateChanged)
    assert (told.state, told.contact_id, told.until) == (AgentState.WRAP_UP, "k", floor.now + WRAP_UP_MS)


def test_calls_are_counted_once_however_often_they_rang() -> None:
    """Asterisk 1736: under load every call counts twice, and the fewest-calls order goes wrong."""
    floor = ringing_all()
    first = floor.offer("k")
    floor.tell(OfferAccepted(first.offer_id))
    floor.tell(OfferAccepted(first.offer_id))
    assert [floor.agent(each).taken for each in ("a", "b", "c")] == [1, 0, 0]


def test_only_one_of_two_agents_who_answer_gets_the_call_and_the_other_has_missed_nothing() -> None:
    """Asterisk 176: two agents answer one call."""
    floor = ringing_all()
    idle_since = floor.agent("b").idle_since
    offers = {offer.agent_id: offer.offer_id for offer in floor.acd.offers()}
    floor.tell(OfferAccepted(offers[A]))
    assert floor.tell(OfferAccepted(offers[B])) == [OfferLapsed(offers[B])]
    loser = floor.agent("b")
    assert (loser.state, loser.misses, loser.idle_since) == (AgentState.READY, 0, idle_since)


def test_one_agent_who_drops_out_leaves_the_other_phones_ringing() -> None:
    """Asterisk 1557: who answers and hangs up at once drops all other ringing agents."""
    floor = ringing_all()
    offers = {offer.agent_id: offer.offer_id for offer in floor.acd.offers()}
    said = floor.tell(OfferDeclined(offers[A], DeclineCause.UNREACHABLE))
    assert [each.agent_id for each in of(said, WithdrawOffer)] == [A]
    assert {offer.agent_id for offer in floor.acd.offers()} == {B, C}


def test_the_oldest_caller_of_all_queues_goes_first() -> None:
    """Asterisk 108: unfair order over several queues, unless an option is known and set."""
    floor = Floor(agent("a", "q r s"), queues=[queue("q"), queue("r"), queue("s")])
    for contact_id, queue_id in (("1", "r"), ("2", "q"), ("3", "s"), ("4", "q"), ("5", "r")):
        floor.arrive(contact_id, queue_id)
    floor.ready("a")
    served = []
    while floor.acd.offers():
        served.append(floor.acd.offers()[0].contact_id)
        floor.tell(OfferAccepted(floor.acd.offers()[0].offer_id))
        floor.tell(ContactFinished(ContactId(served[-1])))
        floor.tell(WrapUpFinished(A))
    assert served == ["1", "2", "3", "4", "5"]


def test_a_place_further_back_is_told_a_longer_wait() -> None:
    """app_queue's estimate is the same for place 1 and place 50."""
    floor, estimates = Floor(agent("a")), WaitEstimates()

    def follow(said: list[object]) -> None:
        for outcome in said:
            estimates.apply(outcome, now=floor.now)  # type: ignore[arg-type]

    follow(list(floor.ready("a")))
    for number in range(12):
        follow(list(floor.arrive(f"k{number}")))
    for number in range(8):
        follow(list(floor.tell(OfferAccepted(floor.offer(f"k{number}").offer_id))))
        floor.now += 60_000
        follow(list(floor.tell(ContactFinished(ContactId(f"k{number}")))))
        follow(list(floor.tell(WrapUpFinished(A))))
    waits = [estimates.estimate(Q, now=floor.now, ahead=ahead) for ahead in (0, 10, 49)]
    means = [each.mean_ms for each in waits if each is not None]
    assert means == sorted(means)
    assert means[2] > 5 * means[0]


def test_absent_agents_do_not_count_as_staff() -> None:
    """Amazon Connect, FusionPBX 2831: a closed laptop stays available, and callers wait for it."""
    door = replace(queue("q"), entry=StepGuard.AT_WORK, otherwise="flow")
    floor = Floor(agent("a"), queues=[door])
    floor.ready("a")
    floor.tell(AgentClientLost(A))
    assert (floor.agent("a").state, floor.agent("a").reason) == (AgentState.NOT_READY, "lost_client")
    assert only(floor.arrive("k"), ContactOverflowed).reason is OverflowReason.NOBODY_THERE


def test_the_last_wish_before_the_end_of_a_call_holds() -> None:
    """amazon-connect-streams 613: a queued Offline beats a later Available."""
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("k")
    floor.tell(AgentMadeNotReady(A, "lunch"))
    floor.tell(AgentSignedOut(A))
    floor.tell(AgentSignedIn(A))
    floor.tell(AgentMadeReady(A))
    floor.tell(ContactFinished(ContactId("k")))
    floor.wait(WRAP_UP_MS)
    assert floor.agent("a").state is AgentState.READY


def test_a_missed_call_is_a_pause_with_its_reason_and_no_fault() -> None:
    """amazon-connect-streams 658: a missed call shows as an error, and 241: a break turns into Available."""
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("k")
    floor.wait(RING_MS)
    assert (floor.agent("a").state, floor.agent("a").reason) == (AgentState.NOT_READY, "no_answer")
    floor.tell(AgentMadeNotReady(A, "break"))
    floor.tell(ContactLeft(ContactId("k")))
    floor.wait(10 * RING_MS)
    assert (floor.agent("a").state, floor.agent("a").reason) == (AgentState.NOT_READY, "break")


def test_what_waits_is_taken_oldest_first_when_somebody_becomes_free_and_nobody_is_passed_over() -> None:
    """Chatwoot 10583, 10376: items that waited are passed over by newer ones when capacity frees."""
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.connect("1")
    floor.connect("2")
    for number in range(3, 9):
        floor.arrive(str(number))
    order = []
    for number in range(3, 9):
        leaving = str(number - 2)
        who = floor.contact(leaving).agent_id
        assert who is not None
        floor.tell(ContactFinished(ContactId(leaving)))
        said = floor.tell(WrapUpFinished(who))
        offered = only(said, OfferContact)
        order.append(offered.contact_id)
        floor.tell(OfferAccepted(offered.offer_id))
        floor.arrive(f"younger{number}")
    assert order == ["3", "4", "5", "6", "7", "8"]


def test_nobody_offline_or_paused_is_given_anything_and_work_is_spread() -> None:
    """Chatwoot 10685, 4158: conversations go to people who are away, and unevenly to those who are there."""
    floor = Floor(agent("a"), agent("b"), agent("c"), agent("gone"), queues=[queue("q", wrap_up_ms=0)])
    floor.ready("a", "b", "c")
    floor.tell(AgentMadeNotReady(C, "lunch"))
    for number in range(10):
        floor.connect(str(number))
        floor.tell(ContactFinished(ContactId(str(number))))
    assert [floor.agent(each).taken for each in ("a", "b", "c", "gone")] == [5, 5, 0, 0]


def test_a_freed_agent_is_offered_the_next_caller_in_the_same_breath() -> None:
    """OpenSIPS 2679, app_queue, mod_callcenter, jambonz: freed agents wait for the next tick of 0.1 to 5 s."""
    floor = Floor(agent("a"), queues=[queue("q", wrap_up_ms=0)])
    floor.ready("a")
    floor.connect("1")
    floor.arrive("2")
    assert only(floor.tell(ContactFinished(ContactId("1"))), OfferContact).contact_id == "2"


def test_the_next_agent_is_asked_in_the_instant_the_first_one_lets_it_ring_out() -> None:
    """app_queue retries 5 s after a failed round; the caller hears the pause."""
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.arrive("k")
    assert only(floor.wait(RING_MS), OfferContact).agent_id == "b"


def test_a_heavier_queue_starves_nobody_it_could_not_use_anyway() -> None:
    """Asterisk 1561: weights hold back agents whom the heavier queue's callers may not use."""
    heavy = QueueSpec(Q, "heavy", weight=10)
    floor = Floor(agent("a", "q light"), queues=[heavy, queue("light")])
    floor.arrive("skilled", "q", required="zh5")
    floor.arrive("plain", "light")
    assert only(floor.ready("a"), OfferContact).contact_id == "plain"


def test_who_redials_after_a_dropped_line_has_the_old_place() -> None:
    """Only one engine of eight keeps it, and not by default."""
    floor = Floor(agent("a"), queues=[replace(queue("q"), resume_window_ms=60_000)])
    floor.tell(ContactArrived(ContactId("1"), Q, floor.now, identity="ada"))
    floor.arrive("2")
    floor.tell(ContactLeft(ContactId("1")))
    floor.now += 30_000
    floor.tell(ContactArrived(ContactId("3"), Q, floor.now, identity="ada"))
    assert only(floor.ready("a"), OfferContact).contact_id == "3"
