"""The whole fold: journal rows in, postings out. Pure, streaming, and a function of the rows alone.

Memory is that of the contacts which are open, the agents, and the routing engine; it does not grow with the past.
"""

from acd.events import FloorConfigured
from acd.outcomes import AgentStateChanged
from callcenter.calls.callback_facts import CallbackDialled, CallbackRequested
from callcenter.calls.facts import (
    CallConnected,
    CallEnded,
    CallHeld,
    CallOverflowed,
    CallQueued,
    CallResumed,
    SegmentEnded,
)
from callcenter.calls.quality_facts import LegMeasured
from callcenter.channels.facts import ItemFact
from callcenter.code_meanings import CodesConfigured
from callcenter.journal import JournalRow
from callcenter.reporting.adherence import Adherence
from callcenter.reporting.appraisals import Appraisals
from callcenter.reporting.calls_out import CallsOut
from callcenter.reporting.consultations import Consultations
from callcenter.reporting.conversations import Conversations
from callcenter.reporting.forecasts import Forecasts
from callcenter.reporting.handing_on import HandingOn
from callcenter.reporting.hands import Hands
from callcenter.reporting.item_lines import SEPARATOR, ItemLines
from callcenter.reporting.lines import line_postings
from callcenter.reporting.postings import Measure, Posting, Rules, Subject, of_agent, of_queue
from callcenter.reporting.resolutions import Resolutions
from callcenter.reporting.routing_replay import RoutingReplay
from callcenter.reporting.seats import Seats
from callcenter.reporting.waits import Waits
from callcenter.service_targets import ServiceTargets, TargetsConfigured
from callcenter.workforce.activities import PauseMeanings
from callcenter.workforce.shifts import ShiftsPlanned


class Statistics:
    """Feed it every row of a journal once, in the order of ``seq`` (see ``ordering.InOrder``)."""

    def __init__(self, rules: Rules) -> None:
        self.waits = Waits(rules)
        self.names: dict[Subject, str] = {}
        """Every queue and agent that was ever configured, with its newest name."""
        self.first_at: int | None = None
        self.last_at = 0
        """The newest instant seen, milliseconds."""
        self._conversations = Conversations()
        self._items = ItemLines()
        self._seats = Seats(self._conversations)
        self._hands = Hands(self._conversations)
        self._adherence = Adherence()
        self._consultations = Consultations(self._conversations)
        self._handing_on = HandingOn()
        self._resolutions = Resolutions()
        self._calls_out = CallsOut()
        self._appraisals = Appraisals()
        self._forecasts = Forecasts()
        self._routing = RoutingReplay()

    @property
    def divergences(self) -> int:
        """See ``RoutingReplay``."""
        return self._routing.divergences

    def take(self, row: JournalRow) -> list[Posting]:
        """Fold one row."""
        self.first_at = row.at if self.first_at is None else self.first_at
        self.last_at = max(self.last_at, row.at)
        found: list[Posting] = []
        if isinstance(row.entry, FloorConfigured):
            self._name(row.entry)
            found += self._seats.configure(row.entry, row.at)
            found += self._adherence.configure(row.entry, row.at)
        found += self._learn(row.entry)
        for outcome in self._routing.take(row):
            found += self._seats.take(outcome, row.at)
            found += self._hands.take(outcome, row.at)
            found += self._forecasts.take(outcome, row.at)
            if isinstance(outcome, AgentStateChanged):
                found += self._adherence.take(outcome, row.at)
        found += self._resolutions.take(row.entry, row.at)
        found += self._calls_out.take(row.entry)
        found += self._appraisals.take(row.entry)
        for fact in self._facts(row.entry):
            found += self._tell(fact)
        return found

    def _learn(self, entry: object) -> list[Posting]:
        """What was promised, planned or agreed upon."""
        match entry:
            case TargetsConfigured():
                self.waits.targets = ServiceTargets(entry.targets)
            case CodesConfigured():
                self._resolutions.mean((each.code, each.issue) for each in entry.wrap_ups)
                self._calls_out.mean(frozenset(each.code for each in entry.wrap_ups if each.right_party))
                return self._adherence.mean(PauseMeanings(entry.pauses), entry.at)
            case ShiftsPlanned():
                return self._adherence.plan(entry)
            case _:
                pass
        return []

    def _facts(self, entry: object) -> list[object]:
        """An entry as facts about calls; items are told as such, on lines that are there from then on."""
        if not isinstance(entry, ItemFact):
            return [entry]
        told: list[object] = list(self._items.as_calls(entry))
        for fact in told:
            if isinstance(fact, CallQueued | CallConnected):
                self._name_line(of_queue(fact.queue_id))
            if isinstance(fact, CallConnected):
                self._name_line(of_agent(fact.agent_id))
        return told

    def _name_line(self, subject: Subject) -> None:
        owner, _, channel = subject.id.partition(SEPARATOR)
        self.names.setdefault(subject, f"{self.names.get(Subject(subject.kind, owner), owner)} ({channel})")

    def _tell(self, fact: object) -> list[Posting]:
        found: list[Posting] = self._consultations.take(fact)
        self._handing_on.take(fact)
        match fact:
            case CallQueued():
                contact_id = fact.contact_id or fact.call_id
                found += self._conversations.end(contact_id, fact.at, counted=(Measure.TRANSFERRED,))
                found += self.waits.take(fact)
            case CallOverflowed() | CallbackRequested() | CallbackDialled():
                found += self.waits.take(fact)
            case CallConnected(agent_id=agent_id):
                found += self.waits.take(fact)
                contact_id = fact.contact_id or fact.call_id
                self._conversations.connect(fact, held=self._hands.holds(agent_id, contact_id))
            case CallHeld(contact_id=contact_id):
                self._conversations.hold(contact_id, fact.at)
            case CallResumed(contact_id=contact_id):
                found += self._conversations.resume(contact_id, fact.at)
            case SegmentEnded(contact_id=contact_id):
                found += self.waits.take(fact)
                counted = self._handing_on.counted(fact)
                found += self._conversations.end(contact_id or fact.call_id, fact.at, counted=counted)
            case CallEnded():
                found += self.waits.take(fact)
                found += self._conversations.end_call(fact.call_id, fact.at)
            case LegMeasured():
                found += line_postings(fact)
            case _:
                pass
        return found

    def up_to(self, horizon: int) -> list[Posting]:
        """What everything that still goes on adds up to at ``horizon``, which is not before ``last_at``.

        Changes nothing: post it into a copy of the book, and fold on.
        """
        parts = (self.waits, self._conversations, self._consultations, self._seats, self._hands, self._adherence)
        return [posting for each in parts for posting in each.up_to(horizon)]

    def _name(self, event: FloorConfigured) -> None:
        self.names.update({of_queue(spec.queue_id): spec.name for spec in event.queues})
        self.names.update({of_agent(spec.agent_id): spec.name for spec in event.agents})
