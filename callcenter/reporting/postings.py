"""Postings: what the folds say. A posting adds an amount to one measure of one queue or agent in one interval.

Sums of postings are all that the metrics are made from, so they can be added up over any intervals, queues or agents.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from acd.events import Channel
from callcenter.service_targets import ServiceTargets


class SubjectKind(StrEnum):
    """Whom a figure is about."""

    QUEUE = "queue"
    AGENT = "agent"


class Subject(NamedTuple):
    """One queue or one agent."""

    kind: SubjectKind
    id: str


def of_queue(queue_id: str) -> Subject:
    """A queue as a subject."""
    return Subject(SubjectKind.QUEUE, queue_id)


def of_agent(agent_id: str) -> Subject:
    """An agent as a subject."""
    return Subject(SubjectKind.AGENT, agent_id)


class Measure(StrEnum):
    """What is added up. Counts, and durations in milliseconds (``*_ms``)."""

    OFFERED = "offered"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    SHORT_ABANDONED = "short_abandoned"
    FLOWED_OUT = "flowed_out"
    LOST = "lost"
    CALLBACK_CONVERTED = "callback_converted"
    IN_PROGRESS = "in_progress"
    """A level, not a sum: how many are there when the interval ends."""
    ANSWERED_IN_TARGET = "answered_in_target"
    OFFERED_IN_TARGET = "offered_in_target"
    """Entered the queue in this interval and was answered in target, whenever that was."""
    ABANDONED_IN_TARGET = "abandoned_in_target"
    ABANDONED_AFTER_TARGET = "abandoned_after_target"
    ANSWERED_WAIT_MS = "answered_wait_ms"
    ABANDONED_WAIT_MS = "abandoned_wait_ms"
    WAIT_SPLIT_MS = "wait_split_ms"
    MAX_WAIT_MS = "max_wait_ms"
    """A maximum, not a sum."""
    HANDLED = "handled"
    TRANSFERRED = "transferred"
    TRANSFERRED_CONSULTED = "transferred_consulted"
    TRANSFERRED_TO_QUEUE = "transferred_to_queue"
    TALK_SPLIT_MS = "talk_split_ms"
    TALK_CLOSED_MS = "talk_closed_ms"
    HOLD_SPLIT_MS = "hold_split_ms"
    HOLD_CLOSED_MS = "hold_closed_ms"
    WRAP_UP_SPLIT_MS = "wrap_up_split_ms"
    WRAP_UP_CLOSED_MS = "wrap_up_closed_ms"
    SEAT_SPLIT_MS = "seat_split_ms"
    """Of the agents' time, each instant divided evenly among the contacts in hand."""
    SEAT_CLOSED_MS = "seat_closed_ms"
    OCCUPIED_SPLIT_MS = "occupied_split_ms"
    """Something in hand, however much."""
    IN_HAND_SPLIT_MS = "in_hand_split_ms"
    """The same, as often as there is something in hand."""
    RUNG_SPLIT_MS = "rung_split_ms"
    """Nothing in hand, and something rings."""
    IDLE_SPLIT_MS = "idle_split_ms"
    """Ready, with nothing in hand and nothing that rings."""
    OFFERS = "offers"
    OFFERS_ACCEPTED = "offers_accepted"
    OFFERS_DECLINED = "offers_declined"
    OFFERS_EXPIRED = "offers_expired"
    OFFERS_WITHDRAWN = "offers_withdrawn"
    BLOCKED = "blocked"
    FORETOLD_50 = "foretold_50"
    """Callers who decide whether the expected wait held, by quantile; those of whom it did are ``KEPT_*``."""
    FORETOLD_80 = "foretold_80"
    FORETOLD_90 = "foretold_90"
    KEPT_50 = "kept_50"
    KEPT_80 = "kept_80"
    KEPT_90 = "kept_90"
    FORETOLD_ERROR_MS = "foretold_error_ms"
    """Expected less waited, of those who were answered."""
    FORETOLD_WAITED_MS = "foretold_waited_ms"
    LINES_MEASURED = "lines_measured"
    LINES_POOR = "lines_poor"
    MOS_HUNDREDTHS = "mos_hundredths"
    """Of the lines that were measured."""
    SCHEDULED_SPLIT_MS = "scheduled_split_ms"
    """Planned for anything but leave."""
    OUT_OF_SCHEDULE_SPLIT_MS = "out_of_schedule_split_ms"
    """Of that: doing otherwise."""
    SCHEDULED_ON_QUEUE_SPLIT_MS = "scheduled_on_queue_split_ms"
    ON_QUEUE_SPLIT_MS = "on_queue_split_ms"
    """Working for the queues at a time for which there is a plan, whatever it says."""
    PAID_SPLIT_MS = "paid_split_ms"
    PAID_ABSENT_SPLIT_MS = "paid_absent_split_ms"
    PAID_AWAY_SPLIT_MS = "paid_away_split_ms"
    PAID_PLANNED_AWAY_SPLIT_MS = "paid_planned_away_split_ms"
    CONSULTATIONS = "consultations"
    CONSULTED = "consulted"
    CONSULTING_SPLIT_MS = "consulting_split_ms"
    CONSULTING_CLOSED_MS = "consulting_closed_ms"
    CONSULTED_SPLIT_MS = "consulted_split_ms"
    CONSULTED_CLOSED_MS = "consulted_closed_ms"
    HANDLED_CONSULTED = "handled_consulted"
    """Of handled: the agent was asked, and never had the customer."""
    DIALS = "dials"
    LIVE_ANSWERS = "live_answers"
    DROPPED = "dropped"
    DROPPED_AFTER_GREETING = "dropped_after_greeting"
    RIGHT_PARTY = "right_party"
    SURVEYS_ASKED = "surveys_asked"
    SURVEYS_ANSWERED = "surveys_answered"
    CSAT_ANSWERS = "csat_answers"
    CSAT_SATISFIED = "csat_satisfied"
    CSAT_POINTS = "csat_points"
    NPS_ANSWERS = "nps_answers"
    NPS_PROMOTERS = "nps_promoters"
    NPS_DETRACTORS = "nps_detractors"
    QA_SCORED = "qa_scored"
    QA_POINTS = "qa_points"
    """Scores, in hundredths of a per cent."""
    QA_FATAL = "qa_fatal"
    PERIOD_MS = "period_ms"
    """The length of the period that the sums are about; posted by the report."""


class Family(StrEnum):
    """Measures of which there is one for each state or reason that occurs: ``family.name``."""

    STATE_SPLIT_MS = "state_split_ms"
    STATE_CLOSED_MS = "state_closed_ms"
    NOT_READY_SPLIT_MS = "not_ready_split_ms"
    NOT_READY_CLOSED_MS = "not_ready_closed_ms"
    RESOLVED = "resolved"
    """Contacts whose days are over, and of them those without another try: ``resolved.7.any``."""


def member(family: Family, name: str) -> str:
    """The measure of a family for one state or reason."""
    return f"{family}.{name}"


class Posting(NamedTuple):
    """One entry of the book."""

    interval: int
    """Where the interval begins, milliseconds since the epoch."""
    subject: Subject
    measure: str
    amount: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What whoever asks wants otherwise than the journal has it. Milliseconds."""

    target_ms: int | None = None
    """For calls: a wait up to and including this is within the service level; ``None``: as the site promised then."""
    targets_ms: tuple[tuple[str, int], ...] = ()
    """The same for some queues, or for what they have of a channel (``QUEUE/message``)."""
    short_abandon_ms: int = 5_000
    """Who leaves before this has abandoned short."""

    def target_of(self, line: str, promised: ServiceTargets) -> int:
        """The target of a queue, or of what it has of a channel."""
        queue_id, _, channel = line.partition("/")
        if (own := dict(self.targets_ms).get(line)) is not None:
            return own
        if self.target_ms is not None and not channel:
            return self.target_ms
        return promised.of(queue_id, Channel(channel or Channel.VOICE)).within_seconds * 1000
