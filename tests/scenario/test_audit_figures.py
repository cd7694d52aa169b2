"""The auditor's recount of calls out, consultations and resolutions: equal to the report, and able to contradict it.

Weeks are made up at random, from facts in the orders in which they can come; then one rule of the report after the
other is broken, and the auditor must say so.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from acd.events import AgentEngaged, AgentMadeReady, AgentSignedIn, Channel, ContactFinished
from callcenter.audit.figures import COUNTED, figure_breaches, reported_counts
from callcenter.audit.recount import audit
from callcenter.calls.callback_facts import CallbackDialled, CallbackRequested
from callcenter.calls.facts import (
    CallAnswered,
    CallArrived,
    CallClosed,
    CallConnected,
    CallCorrected,
    CallQueued,
    CallRecord,
    ConversationChanged,
    EndedBy,
    NumberConnected,
    Outcome,
    SegmentEnded,
    SegmentOpened,
    WrapUpRecorded,
)
from callcenter.calls.participants import Conversation
from callcenter.calls.segments import SegmentKind, SegmentResult, TargetKind
from callcenter.channels.facts import ItemArrived, ItemClosed, ItemRecord, ItemResult
from callcenter.code_meanings import CodesConfigured, WrapUpMeaning
from callcenter.journal import JournalRow
from callcenter.journal_erasure import TOMBSTONE
from callcenter.reporting import calls_out, consultations, conversations, handing_on, resolutions
from callcenter.reporting.calls_out import CallsOut
from callcenter.reporting.consultations import Consultations
from callcenter.reporting.conversations import Conversations
from callcenter.reporting.handing_on import HandingOn
from callcenter.reporting.postings import Measure, of_agent
from callcenter.reporting.resolutions import Resolutions
from tests.support.changed_entries import with_fields
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.scenario

SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000
AGENTS, QUEUES = ("anna", "ben", "chen"), ("sales", "support")
SEATED = ("dora", "emil")
"""These two have what they talk with by routing's word, and wrap it up."""
CODES = (WrapUpMeaning("sold", right_party=True), WrapUpMeaning("fault", issue="line"),
         WrapUpMeaning("slow", issue="line"), WrapUpMeaning("wrong"))  # fmt: skip
MODES = (Conversation.TALK, Conversation.HELD, Conversation.CONSULT, Conversation.CONFERENCE, Conversation.PRIVATE)
CUSTOMERS = (*(str(number) for number in range(1, 31)), None, None)
CALLERS = ("+1", "+2", "", TOMBSTONE)
CALLS, SLOTS = 320, 24


class Weeks:
    """Forty days of three agents. Every call is laid out whole; the facts of all are then sorted into one journal."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.facts: list[tuple[int, Any]] = []
        self.number = 0
        self.whose: dict[str, str | None] = {}

    def rows(self) -> list[JournalRow]:
        stories = (self._comes_in, self._comes_in, self._asks, self._dials, self._calls_back, self._writes)
        for _ in range(CALLS):
            self.number += 1
            self.dice.choice(stories)(f"c{self.number}", self.dice.randrange(1, 33 * DAY))
        for number in range(SLOTS):
            self._asks_from_a_seat(f"s{number}", HOUR + number * 30 * HOUR)
        journal = WrittenJournal()
        journal.floor(0, *AGENTS, *SEATED, queues=QUEUES)
        for agent_id in SEATED:
            journal.route(1, AgentSignedIn(agent_id))
            journal.route(1, AgentMadeReady(agent_id))
        journal.write(0, CodesConfigured(NINE, (), CODES[:-1]))
        self.facts.append((16 * DAY, CodesConfigured(NINE + 16 * DAY, (), (*CODES[:2], replace(CODES[2], issue="")))))
        for at, fact in sorted(self.facts, key=lambda each: each[0]):
            journal.pass_time(at)
            (journal.route if isinstance(fact, AgentEngaged | ContactFinished) else journal.write)(at, fact)
        journal.floor(70 * DAY, *AGENTS, *SEATED, queues=QUEUES)
        return journal.rows

    def _tell(self, kind: type, call_id: str, at: int, *more: Any) -> int:
        self.facts.append((at, kind(call_id, NINE + at, *more)))
        return at

    def _later(self, at: int, most: int = 600 * SECOND) -> int:
        """Often at the same instant, or on a limit."""
        return at + self.dice.choice((0, SECOND, 2 * SECOND, 2 * SECOND + 1, self.dice.randrange(most)))

    def _arrive(self, call_id: str, at: int, direction: str = "inbound", agent_id: str = "") -> int:
        return self._tell(CallArrived, call_id, at, "+1", "", "", "", "", "main", direction, agent_id)

    def _end(self, call_id: str, began: int, at: int, agent_id: str, direction: str = "inbound") -> None:
        """The end, its record, the wrap-ups and whom it turned out to be about, before or after the record."""
        dice = self.dice
        outcome = Outcome.ANSWERED if agent_id else Outcome.ABANDONED
        record = CallRecord(
            call_id, dice.choice(CALLERS), "", "", "", "", dice.choice(("main", "main", "sales", "")),
            outcome, EndedBy.CUSTOMER, NINE + began, NINE + at, None, dice.choice((*QUEUES, None)), agent_id or None,
            None, (), "one", self.whose.setdefault(call_id, dice.choice(CUSTOMERS)), 0, 0, 0, 0, direction,
        )  # fmt: skip
        self.facts.append((at, _ended(call_id, at, outcome)))
        closed_at = self._tell(CallClosed, call_id, self._later(at), record)
        for _ in range(dice.choice((0, 1, 1, 2)) if agent_id else 0):
            said_at = self._later(dice.choice((at, closed_at)))
            contact_id = dice.choice(("", call_id, f"{call_id}.2"))
            self._tell(WrapUpRecorded, call_id, said_at, agent_id, dice.choice(CODES).code, "", 1, contact_id)
        if dice.random() < 0.2:
            corrected = with_fields(record, customer_id=dice.choice(CUSTOMERS))
            self._tell(CallCorrected, call_id, closed_at + dice.choice((SECOND, 3 * HOUR, 2 * DAY, 9 * DAY)), corrected)

    def _comes_in(self, call_id: str, at: int) -> None:
        began = self._arrive(call_id, at)
        self._end(call_id, began, self._later(at, 5 * HOUR), self.dice.choice((*AGENTS, "")))

    def _writes(self, call_id: str, at: int) -> None:
        """A message; mostly one that came of an earlier contact of the same customer."""
        dice, agent_id = self.dice, self.dice.choice((*AGENTS, ""))
        queue_id, parent_id = dice.choice(QUEUES), f"c{dice.randrange(1, self.number + 1)}"
        if dice.random() < 0.7:
            parent_id, at = f"{call_id}.parent", at + HOUR
            self._comes_in(parent_id, at - HOUR)
        self._tell(ItemArrived, call_id, at, Channel.MESSAGE, queue_id, "+1")
        ended = self._later(at, 2 * DAY)
        result = ItemResult.HANDLED if agent_id else ItemResult.LEFT
        record = ItemRecord(
            call_id, Channel.MESSAGE, "+1", "", "", queue_id, agent_id, "en", parent_id, result, NINE + at, None,
            NINE + ended, 0, "one", self.whose.get(parent_id, dice.choice(CUSTOMERS)),
        )  # fmt: skip
        self._tell(ItemClosed, call_id, ended, agent_id, record)

    def _dials(self, call_id: str, at: int) -> None:
        agent_id = self.dice.choice(AGENTS)
        began = self._arrive(call_id, at, "outbound", agent_id)
        there = ""
        if self.dice.random() < 0.7:
            at = self._tell(CallConnected, call_id, self._later(at), "", agent_id, "")
            there = agent_id
        self._end(call_id, began, self._later(at), there, "outbound")

    def _calls_back(self, call_id: str, at: int) -> None:
        dice, there = self.dice, ""
        self._tell(CallbackRequested, f"p{call_id}", at, "+1", dice.choice(QUEUES), NINE + at)
        at = self._later(at)
        self.facts.append((at, CallbackDialled(f"p{call_id}", NINE + at, call_id)))
        began = self._arrive(call_id, at, "outbound")
        if dice.random() < 0.8:
            at = self._tell(CallAnswered, call_id, self._later(at))
        if dice.random() < 0.6:
            at = self._tell(CallQueued, call_id, self._later(at), dice.choice(QUEUES), 0, None)
        if dice.random() < 0.7:
            there = dice.choice(AGENTS)
            at = self._tell(CallConnected, call_id, self._later(at), "o", there, "sales")
            if dice.random() < 0.2:
                at = self._tell(CallQueued, call_id, self._later(at), "support", 0, None)
        self._end(call_id, began, self._later(at), there, "outbound")

    def _asks(self, call_id: str, at: int) -> None:
        """An agent asks a colleague or a number, whose end, or the conversation's, or all's, ends it."""
        dice, began = self.dice, self._arrive(call_id, at)
        asking, asked = dice.sample(AGENTS, 2)
        queue_id = dice.choice((*QUEUES, ""))
        at = self._tell(CallConnected, call_id, self._later(at), "o", asking, queue_id)
        for number in range(2, 2 + dice.choice((1, 1, 2))):
            contact_id = f"{call_id}.{number}"
            target = TargetKind.QUEUE if (self.number + number) % 3 == 0 else TargetKind.AGENT
            opened = (contact_id, SegmentKind.CONSULT, dice.choice((call_id, "")), asking, target, asked)
            at = self._tell(SegmentOpened, call_id, self._later(at), *opened)
            at = self._tell(ConversationChanged, call_id, self._later(at), dice.choice(MODES))
            if dice.random() < 0.3:
                at = self._tell(NumberConnected, call_id, self._later(at), contact_id, "+1")
            elif dice.random() < 0.8 and self.number % 4:
                queue_asked = "support" if number == 3 else ""
                at = self._tell(CallConnected, call_id, self._later(at), "", asked, queue_asked, contact_id)
            for _ in range(dice.randrange(4)):
                at = self._tell(ConversationChanged, call_id, self._later(at, 2 * HOUR), dice.choice(MODES))
            if dice.random() < 0.7:
                ends = dice.choice((contact_id, contact_id, "", call_id))
                result = SegmentResult.COMPLETED if self.number % 2 else SegmentResult.TRANSFERRED
                at = self._tell(SegmentEnded, call_id, self._later(at, 2 * HOUR), ends, result)
        if at < 32 * DAY or dice.random() < 0.5:  # what never ends keeps everything after it undecided
            self._end(call_id, began, self._later(at), asking)

    def _asks_from_a_seat(self, call_id: str, at: int) -> None:
        """As ``_asks``, of two who are busy with it until they have wrapped up, often in a later quarter of an hour."""
        dice, contact_id = self.dice, f"{call_id}.2"
        asking, asked = dice.sample(SEATED, 2)
        at = self._engage(asking, call_id, self._arrive(call_id, at))
        at = self._tell(CallConnected, call_id, self._later(at), "o", asking, dice.choice(QUEUES))
        opened = (contact_id, SegmentKind.CONSULT, call_id, asking, TargetKind.AGENT, asked)
        at = self._engage(asked, contact_id, self._tell(SegmentOpened, call_id, self._later(at), *opened))
        at = self._tell(ConversationChanged, call_id, at, Conversation.CONSULT)
        at = self._tell(CallConnected, call_id, at, "", asked, dice.choice(("", "support")), contact_id)
        at = self._tell(ConversationChanged, call_id, self._later(at), dice.choice(MODES))
        over = dice.choice((call_id, contact_id))
        at = self._tell(SegmentEnded, call_id, self._later(at), over, SegmentResult.TRANSFERRED)
        self._finish(over, at)
        at = self._later(at)
        self._finish(contact_id if over == call_id else call_id, at)
        self._end(call_id, at, at, asking)

    def _engage(self, agent_id: str, contact_id: str, at: int) -> int:
        wrap_up_ms = self.dice.choice((0, 60 * SECOND, 3_000 * SECOND))
        self.facts.append((at, AgentEngaged(agent_id, contact_id, wrap_up_ms=wrap_up_ms)))
        return at

    def _finish(self, contact_id: str, at: int) -> None:
        self.facts.append((at, ContactFinished(contact_id)))


def _ended(call_id: str, at: int, outcome: Outcome) -> object:
    journal = WrittenJournal()
    journal.ended(at, call_id, outcome)
    return journal.rows[0].entry


@cache
def weeks(seed: int) -> list[JournalRow]:
    return Weeks(seed).rows()


@pytest.mark.parametrize("seed", range(4))
def test_the_recount_of_any_weeks_is_what_the_report_says(seed: int) -> None:
    assert list(figure_breaches(weeks(seed))) == []


def test_the_weeks_have_something_of_everything() -> None:
    for kind in ("queue", "agent"):
        sums = Counter[str]()
        for (_, whose, _, measure), amount in reported_counts(weeks(3)).items():
            sums[measure] += amount if whose == kind else 0
        of_agents_alone = {"consulted", "consulted_split_ms"} if kind == "queue" else set()
        assert {name for name in COUNTED if not sums[name]} == of_agents_alone
        for days in (1, 7, 30):
            assert 0 < sums[f"resolved.{days}.any"] < sums[f"resolved.{days}.same"] < sums[f"resolved.{days}.contacts"]


def never(*_: object, **__: object) -> bool:
    return False


def nothing(*_: object, **__: object) -> list[object]:
    return []


def reached_at_once(self: HandingOn, fact: object, take: Any = HandingOn.take) -> None:
    take(self, fact)
    if isinstance(fact, SegmentOpened):
        self._reached.setdefault(fact.call_id, set()).add(fact.contact_id)


def without(name: str) -> Callable[..., None]:
    """A conversation is not told this about its consultations."""
    consult = Conversations.consult
    return lambda self, contact_id, **told: consult(
        self, contact_id, **{each: amount for each, amount in told.items() if each != name}
    )


BROKEN: dict[str, tuple[object, str, Any, str]] = {
    "a customer may wait three seconds": (calls_out, "CONNECT_MS", 3_000, "dropped"),
    "who is met on the limit is dropped": (calls_out, "CONNECT_MS", 1_999, "dropped"),
    "answers are not counted": (CallsOut, "_answered", nothing, "live_answers"),
    "a callback is not its agent's": (CallsOut, "_join", nothing, "dials of agent"),
    "dials without an answer are no dials": (CallsOut, "_dialled", nothing, "dials"),
    "every code is of the right person": (CallsOut, "mean", lambda self, codes: None, "right_party"),
    "wrap-ups are not read": (CallsOut, "_wrap_up", nothing, "right_party"),
    "a conference is a consultation": (consultations, "_WITH_CUSTOMER", frozenset(), "consulting_split"),
    "the queue is not told": (Conversations, "queue_of", lambda self, contact_id: "", "consultations of queue"),
    "who is asked is not told": (consultations, "_asking", lambda consultation: [], "consultations"),
    "asking is not in what is handled": (
        Conversations, "consult", without("asking_ms"), "consulting_closed_ms of agent"),
    "being asked is not in what is handled": (
        Conversations, "consult", without("asked_ms"), "consulted_closed_ms of agent"),
    "who was only asked has had the customer": (
        Conversations, "consult", without("asked_only"), "handled_consulted of agent"),
    "who got the customer was only asked": (
        Consultations, "_over", lambda self, *where, handed_on, over=Consultations._over: over(
            self, *where, handed_on=False), "handled_consulted of agent"),
    "what is handled is no queue's": (conversations, "of_queue", of_agent, "consulting_closed_ms of queue"),
    "whatever ends hands on": (HandingOn, "counted", lambda self, fact: (Measure.TRANSFERRED,), "transferred of agent"),
    "who never answered was asked, too": (HandingOn, "take", reached_at_once, "transferred_consulted of agent"),
    "an agent is a queue": (
        handing_on, "TargetKind", SimpleNamespace(QUEUE=TargetKind.AGENT), "transferred_to_queue of agent"),
    "what is handed on is not counted": (HandingOn, "counted", nothing, "transferred of queue"),
    "handled is when the talk is over": (
        Conversations, "connect", lambda self, fact, held, connect=Conversations.connect: connect(
            self, fact, held=False), "consulted_closed_ms of agent"),
    "a consultation goes on after the transfer": (Consultations, "_over", nothing, "consulted_split"),
    "modes before the answer are forgotten": (Consultations, "_changed", nothing, "consulted_split"),
    "a day has 25 hours": (resolutions, "DAY_MS", 25 * HOUR, "resolved.1.any"),
    "every contact is about the same": (Resolutions, "_same_issue", lambda self, one, other: True, "resolved."),
    "nothing is about the same": (Resolutions, "_same_issue", never, "resolved."),
    "issues are not known": (Resolutions, "mean", lambda self, issues: None, "resolved."),
    "who it really was is not read": (Resolutions, "_correct", lambda self, corrected: None, "resolved."),
    "codes of resolutions are not read": (Resolutions, "_wrap_up", lambda self, fact: None, "resolved."),
    "what came of a contact is another try": (
        resolutions, "_of_item", lambda record, of=resolutions._of_item: _orphan(of(record)), "resolved."),
    "a message is a call": (
        resolutions, "line_of", lambda name, channel: name, "resolved.1.contacts of queue"),
}  # fmt: skip


def _orphan(contact: Any) -> Any:
    contact.parent_id = ""
    return contact


@pytest.mark.parametrize(("place", "name", "wrong", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_each_rule_that_a_report_breaks_is_named(
    place: object, name: str, wrong: Callable[..., Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, name, wrong)
    breaches = list(figure_breaches(weeks(3)))
    assert any(said in breach for breach in breaches), breaches[:3]


def test_the_auditor_names_them_among_the_promises() -> None:
    rows = weeks(3)
    assert not [breach for breach in audit(rows).breaches if breach.startswith("I12")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls_out, "CONNECT_MS", 0)
        assert [breach for breach in list(figure_breaches(rows)) if breach.startswith("I12: dropped of ")]


@pytest.mark.parametrize("while_wrapping_up", [False, True], ids=["in the talk", "in the wrap-up"])
def test_who_is_configured_no_more_is_done_with_what_goes_on(while_wrapping_up: bool) -> None:
    journal = WrittenJournal()
    journal.floor(0, "dora", "emil")
    for event in (AgentSignedIn("emil"), AgentMadeReady("emil"), AgentEngaged("emil", "c1.2", wrap_up_ms=HOUR)):
        journal.route(1, event)
    journal.connected(1, "c1", "dora")
    journal.write(1, SegmentOpened("c1", NINE + 1, "c1.2", SegmentKind.CONSULT, "c1", "dora", TargetKind.AGENT, "emil"))
    journal.write(1, CallConnected("c1", NINE + 1, "", "emil", "", "c1.2"))
    if not while_wrapping_up:
        journal.floor(20 * 60 * SECOND, "dora")
    journal.write(HOUR, SegmentEnded("c1", NINE + HOUR, "c1.2", SegmentResult.COMPLETED))
    journal.route(HOUR + 1, ContactFinished("c1.2"))
    if while_wrapping_up:
        journal.floor(HOUR + 20 * 60 * SECOND, "dora")
    journal.ended(3 * HOUR, "c1")
    assert list(figure_breaches(journal.rows)) == []
    handled_at = NINE + HOUR + (15 * 60 * SECOND if while_wrapping_up else 0)
    assert reported_counts(journal.rows)[handled_at, "agent", "emil", "handled_consulted"] == 1
