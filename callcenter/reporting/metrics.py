"""Every metric: its id, version, unit, formula, and the function of the sums that computes it. Pure.

The formula's words are the ids of other metrics, or measures of ``postings.Measure``. A metric whose meaning changes
gets a higher version; the id stays. A share or mean of nothing is ``None``, never 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from callcenter.appraisals.forms import WHOLE
from callcenter.reporting.book import Sums
from callcenter.reporting.postings import Family, Measure, SubjectKind
from callcenter.reporting.resolutions import ALL, ANY_CHANNEL, DAYS, SAME_CHANNEL, name

Value = int | float | None | dict[str, int]
"""A figure; several by name for the ``*_by_*`` metrics."""

_Q, _A = SubjectKind.QUEUE, SubjectKind.AGENT
_BOTH = (_Q, _A)
_M = Measure


class Unit(StrEnum):
    """What a figure is measured in."""

    COUNT = "count"
    SHARE = "share"
    """From 0 to 1."""
    MS = "ms"
    PER_HOUR = "1/h"
    MOS = "mos"
    """Mean opinion score, 1 to 4.4."""
    ERLANG = "erlang"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure."""

    id: str
    unit: Unit
    formula: str
    subjects: tuple[SubjectKind, ...]
    value: Callable[[Sums], Value]
    version: int = 1


def _sum(*measures: str) -> Callable[[Sums], int]:
    return lambda sums: sum(sums.get(measure, 0) for measure in measures)


def _less(whole: Callable[[Sums], int], part: Callable[[Sums], int]) -> Callable[[Sums], int]:
    return lambda sums: whole(sums) - part(sums)


def _ratio(part: Callable[[Sums], float], whole: Callable[[Sums], float]) -> Callable[[Sums], float | None]:
    def ratio(sums: Sums) -> float | None:
        divisor = whole(sums)
        return part(sums) / divisor if divisor else None

    return ratio


def _signed_in(sums: Sums) -> int:
    return sum(amount for state, amount in _members(Family.STATE_SPLIT_MS)(sums).items() if state != "offline")


def _members(family: Family) -> Callable[[Sums], dict[str, int]]:
    start = f"{family}."
    return lambda sums: {
        measure.removeprefix(start): amount for measure, amount in sorted(sums.items()) if measure.startswith(start)
    }


def _offered_load(sums: Sums) -> float | None:
    mean = _aht(sums)
    period = sums.get(_M.PERIOD_MS, 0)
    return None if mean is None or not period else sums.get(_M.OFFERED, 0) * mean / period


_gave_up = _sum(_M.ABANDONED, _M.SHORT_ABANDONED)
_aht = _ratio(_sum(_M.TALK_CLOSED_MS, _M.WRAP_UP_CLOSED_MS), _sum(_M.HANDLED))
_offers_ended = _sum(_M.OFFERS_ACCEPTED, _M.OFFERS_DECLINED, _M.OFFERS_EXPIRED, _M.OFFERS_WITHDRAWN)
_in_target = _sum(_M.ANSWERED_IN_TARGET)


def _count(measure: Measure, formula: str, subjects: tuple[SubjectKind, ...] = (_Q,), version: int = 1) -> Metric:
    return Metric(str(measure), Unit.COUNT, formula, subjects, _sum(measure), version)


def _of_agent(measure: Measure, formula: str) -> Metric:
    return Metric(str(measure).removesuffix("_ms"), Unit.MS, formula, (_A,), _sum(measure))


def _time(measure: Measure, formula: str, version: int = 1) -> Metric:
    return Metric(str(measure).removesuffix("_ms"), Unit.MS, formula, _BOTH, _sum(measure), version)


METRICS: tuple[Metric, ...] = (
    _count(_M.OFFERED, "contacts that entered the queue, at entry; who is called back, when there", version=2),
    _count(_M.ANSWERED, "contacts connected with an agent, called back ones included, at connection", _BOTH, version=2),
    _count(_M.ABANDONED, "customers who left before connection, having waited >= S, at leaving"),
    _count(_M.SHORT_ABANDONED, "customers who left before connection, having waited < S, at leaving"),
    _count(_M.FLOWED_OUT, "contacts that left the queue otherwise: sent elsewhere, by a key, or lost, at leaving"),
    _count(_M.LOST, "of flowed_out: ended by a removed queue, a failure, a restart or an erasure", version=2),
    _count(_M.CALLBACK_CONVERTED, "contacts that left the queue by a way on which they took a callback, at leaving"),
    _count(_M.IN_PROGRESS, "contacts in the queue, ringing ones included, when the period ends"),
    Metric("abandon_rate", Unit.SHARE, "(abandoned + short_abandoned) / offered", (_Q,),
           _ratio(_gave_up, _sum(_M.OFFERED))),
    Metric("abandon_rate_without_short", Unit.SHARE, "abandoned / (offered - short_abandoned)", (_Q,),
           _ratio(_sum(_M.ABANDONED), _less(_sum(_M.OFFERED), _sum(_M.SHORT_ABANDONED)))),
    Metric("service_level_a", Unit.SHARE, "offered in the period and answered, wait <= T / offered", (_Q,),
           _ratio(_sum(_M.OFFERED_IN_TARGET), _sum(_M.OFFERED))),
    Metric("service_level_b", Unit.SHARE, "answered, wait <= T / answered", (_Q,),
           _ratio(_in_target, _sum(_M.ANSWERED))),
    Metric("service_level_c", Unit.SHARE,
           "(answered, wait <= T + left, wait <= T) / (answered + abandoned + short_abandoned)", (_Q,),
           _ratio(_sum(_M.ANSWERED_IN_TARGET, _M.ABANDONED_IN_TARGET),
                  _sum(_M.ANSWERED, _M.ABANDONED, _M.SHORT_ABANDONED))),
    Metric("service_level_d", Unit.SHARE, "answered, wait <= T / (answered + abandoned)", (_Q,),
           _ratio(_in_target, _sum(_M.ANSWERED, _M.ABANDONED))),
    Metric("service_level_d_flow", Unit.SHARE, "answered, wait <= T / (answered + abandoned + flowed_out)", (_Q,),
           _ratio(_in_target, _sum(_M.ANSWERED, _M.ABANDONED, _M.FLOWED_OUT))),
    Metric("service_level_e", Unit.SHARE, "answered, wait <= T / (answered + left, wait > T)", (_Q,),
           _ratio(_in_target, _sum(_M.ANSWERED, _M.ABANDONED_AFTER_TARGET))),
    Metric("asa", Unit.MS, "sum of waits of answered / answered", (_Q,),
           _ratio(_sum(_M.ANSWERED_WAIT_MS), _sum(_M.ANSWERED))),
    Metric("time_to_abandon", Unit.MS, "sum of waits of those who left / (abandoned + short_abandoned)", (_Q,),
           _ratio(_sum(_M.ABANDONED_WAIT_MS), _gave_up)),
    Metric("max_wait", Unit.MS, "longest wait that anybody had reached at its end, or when the period ended", (_Q,),
           _sum(_M.MAX_WAIT_MS)),
    Metric("mean_queue", Unit.COUNT, "time waited within the period / length of the period", (_Q,),
           _ratio(_sum(_M.WAIT_SPLIT_MS), _sum(_M.PERIOD_MS))),
    _count(_M.HANDLED, "conversations whose talk and wrap-up are over, when the last of them is", _BOTH, 2),
    _time(_M.TALK_SPLIT_MS, "time from connection to the end, cut at the boundaries"),
    _time(_M.TALK_CLOSED_MS, "talk of handled, whole"),
    _time(_M.HOLD_SPLIT_MS, "of talk: the customer on hold, consultations included, cut at the boundaries"),
    _time(_M.HOLD_CLOSED_MS, "hold of handled, whole"),
    _time(_M.WRAP_UP_SPLIT_MS, "wrap-up after a conversation or an item, cut at the boundaries", 2),
    _time(_M.WRAP_UP_CLOSED_MS, "wrap-up of handled, whole", 2),
    Metric("aht", Unit.MS, "(talk_closed + wrap_up_closed) / handled", _BOTH, _aht, 2),
    Metric("seat_time_split", Unit.MS,
           "time of agents, each instant divided evenly among the contacts in hand, cut at the boundaries", _BOTH,
           _sum(_M.SEAT_SPLIT_MS)),
    Metric("seat_time_closed", Unit.MS, "seat time of handled, whole", _BOTH, _sum(_M.SEAT_CLOSED_MS)),
    Metric("aht_of_seat", Unit.MS, "seat_time_closed / handled", _BOTH,
           _ratio(_sum(_M.SEAT_CLOSED_MS), _sum(_M.HANDLED))),
    _count(_M.CONSULTATIONS, "parties asked that were reached, of whoever asks, when reached", _BOTH),
    _time(_M.CONSULTING_SPLIT_MS,
          "of talk and hold: an asked party there and not with the customer, of whoever asks, cut at the boundaries"),
    _time(_M.CONSULTING_CLOSED_MS, "consulting of handled, whole"),
    _count(_M.CONSULTED, "times an agent was asked and reached, when reached", (_A,)),
    _of_agent(_M.CONSULTED_SPLIT_MS, "of talk: asked, and not with the customer, cut at the boundaries"),
    _time(_M.CONSULTED_CLOSED_MS, "consulted of handled, whole"),
    _count(_M.HANDLED_CONSULTED, "of handled: agents who were asked and never had the customer", _BOTH),
    Metric("aht_without_consultation", Unit.MS,
           "(talk_closed + wrap_up_closed - consulting_closed - consulted_closed) / (handled - handled_consulted)",
           _BOTH, _ratio(_less(_sum(_M.TALK_CLOSED_MS, _M.WRAP_UP_CLOSED_MS),
                               _sum(_M.CONSULTING_CLOSED_MS, _M.CONSULTED_CLOSED_MS)),
                         _less(_sum(_M.HANDLED), _sum(_M.HANDLED_CONSULTED)))),
    _count(_M.TRANSFERRED, "conversations whose customer was handed on", _BOTH),
    _count(_M.TRANSFERRED_CONSULTED, "of transferred: to somebody who was asked first", _BOTH),
    Metric("transferred_blind", Unit.COUNT, "transferred - transferred_consulted", _BOTH,
           _less(_sum(_M.TRANSFERRED), _sum(_M.TRANSFERRED_CONSULTED))),
    _count(_M.TRANSFERRED_TO_QUEUE, "of transferred: calls handed to a queue, asked first or not", _BOTH),
    Metric("transfer_rate", Unit.SHARE, "transferred / handled", _BOTH,
           _ratio(_sum(_M.TRANSFERRED), _sum(_M.HANDLED))),
    _count(_M.BLOCKED, "of flowed_out: contacts that the queue did not let in, at entry", version=2),
    Metric("blockage", Unit.SHARE, "blocked / offered", (_Q,), _ratio(_sum(_M.BLOCKED), _sum(_M.OFFERED)), version=2),
    *(
        Metric(f"expected_wait_p{share}_kept", Unit.SHARE,
               f"callers who had to wait, waited <= the {share} % quantile expected on arrival / those who decide it",
               (_Q,), _ratio(_sum(kept), _sum(foretold)))
        for share, kept, foretold in (
            (50, _M.KEPT_50, _M.FORETOLD_50), (80, _M.KEPT_80, _M.FORETOLD_80), (90, _M.KEPT_90, _M.FORETOLD_90),
        )
    ),
    Metric("expected_wait_bias", Unit.SHARE,
           "sum of (mean wait expected on arrival - waited) / sum of waits, of the answered who had to wait", (_Q,),
           _ratio(_sum(_M.FORETOLD_ERROR_MS), _sum(_M.FORETOLD_WAITED_MS))),
    Metric("offered_load", Unit.ERLANG, "offered * aht / length of the period", (_Q,), _offered_load),
    Metric("carried_load", Unit.ERLANG, "(talk_split + wrap_up_split) / length of the period", (_Q,),
           _ratio(_sum(_M.TALK_SPLIT_MS, _M.WRAP_UP_SPLIT_MS), _sum(_M.PERIOD_MS))),
    Metric("seat_load", Unit.ERLANG, "seat_time_split / length of the period", (_Q,),
           _ratio(_sum(_M.SEAT_SPLIT_MS), _sum(_M.PERIOD_MS))),
    _count(_M.OFFERS, "times an agent was rung, when it began", _BOTH),
    _count(_M.OFFERS_ACCEPTED, "offers taken, when they ended", _BOTH),
    _count(_M.OFFERS_DECLINED, "offers that the agent or the phone refused, when they ended", _BOTH),
    _count(_M.OFFERS_EXPIRED, "offers that rang out, when they ended", _BOTH),
    _count(_M.OFFERS_WITHDRAWN, "offers taken back, when they ended", _BOTH),
    Metric("rona_rate", Unit.SHARE,
           "offers_expired / (offers_accepted + offers_declined + offers_expired + offers_withdrawn)", _BOTH,
           _ratio(_sum(_M.OFFERS_EXPIRED), _offers_ended)),
    *(
        metric
        for days in DAYS
        for metric in (
            Metric(f"fcr_{days}d_contacts", Unit.COUNT,
                   f"contacts that an agent dealt with, {days} x 24 h after their end, at their end", _BOTH,
                   _sum(name(days, ALL))),
            Metric(f"fcr_{days}d", Unit.SHARE,
                   f"of fcr_{days}d_contacts: no other of the same customer and issue arrived in {days} x 24 h", _BOTH,
                   _ratio(_sum(name(days, ANY_CHANNEL)), _sum(name(days, ALL)))),
            Metric(f"fcr_{days}d_same_channel", Unit.SHARE,
                   f"of fcr_{days}d_contacts: none on the same channel, of the same customer and issue", _BOTH,
                   _ratio(_sum(name(days, SAME_CHANNEL)), _sum(name(days, ALL)))),
        )
    ),
    _count(_M.SURVEYS_ASKED, "interactions whose customer was asked, when asked", _BOTH),
    _count(_M.SURVEYS_ANSWERED, "of surveys_asked: answered, the first answer of each", _BOTH),
    Metric("survey_response_rate", Unit.SHARE, "surveys_answered / surveys_asked", _BOTH,
           _ratio(_sum(_M.SURVEYS_ANSWERED), _sum(_M.SURVEYS_ASKED))),
    _count(_M.CSAT_ANSWERS, "of surveys_answered: satisfaction, 1 to 5", _BOTH),
    Metric("csat", Unit.SHARE, "csat_answers of 4 or 5 / csat_answers", _BOTH,
           _ratio(_sum(_M.CSAT_SATISFIED), _sum(_M.CSAT_ANSWERS))),
    Metric("csat_mean", Unit.POINTS, "sum of csat_answers' points / csat_answers", _BOTH,
           _ratio(_sum(_M.CSAT_POINTS), _sum(_M.CSAT_ANSWERS))),
    _count(_M.NPS_ANSWERS, "of surveys_answered: recommendation, 0 to 10", _BOTH),
    Metric("nps", Unit.SHARE, "(nps_answers of 9 or 10 - nps_answers of 0 to 6) / nps_answers, from -1 to 1", _BOTH,
           _ratio(_less(_sum(_M.NPS_PROMOTERS), _sum(_M.NPS_DETRACTORS)), _sum(_M.NPS_ANSWERS))),
    _count(_M.QA_SCORED, "conversations scored, the newest score of each, at the conversation's end", _BOTH),
    _count(_M.QA_FATAL, "of qa_scored: something fatal, and so 0", _BOTH),
    Metric("qa_score", Unit.SHARE, "sum of scores / qa_scored; a score is sum of weight x points / weights", _BOTH,
           _ratio(lambda sums: sums.get(_M.QA_POINTS, 0) / WHOLE, _sum(_M.QA_SCORED))),
    _count(_M.DIALS, "calls out to customers, callbacks included, when dialled", _BOTH),
    _count(_M.LIVE_ANSWERS, "of dials: the customer answered, when answered", _BOTH),
    _count(_M.DROPPED, "of live_answers: no agent was there <= 2 s after the answer, at the answer", _BOTH),
    Metric("drop_rate", Unit.SHARE, "dropped / live_answers", _BOTH, _ratio(_sum(_M.DROPPED), _sum(_M.LIVE_ANSWERS))),
    _count(_M.DROPPED_AFTER_GREETING, "as dropped, <= 2 s after the customer has heard who calls", _BOTH),
    Metric("drop_rate_after_greeting", Unit.SHARE, "dropped_after_greeting / live_answers", _BOTH,
           _ratio(_sum(_M.DROPPED_AFTER_GREETING), _sum(_M.LIVE_ANSWERS))),
    _count(_M.RIGHT_PARTY, "of dials: wrapped up with a code of right_party = true, at the answer", _BOTH),
    Metric("right_party_rate", Unit.SHARE, "right_party / dials", _BOTH, _ratio(_sum(_M.RIGHT_PARTY), _sum(_M.DIALS))),
    _count(_M.LINES_MEASURED, "lines that were closed: of a queue its customers', of an agent the own", _BOTH),
    _count(_M.LINES_POOR, "of lines_measured: estimated MOS below 3.6", _BOTH),
    Metric("poor_line_rate", Unit.SHARE, "lines_poor / lines_measured", _BOTH,
           _ratio(_sum(_M.LINES_POOR), _sum(_M.LINES_MEASURED))),
    Metric("mean_mos", Unit.MOS, "sum of estimated MOS / lines_measured", _BOTH,
           _ratio(lambda sums: sums.get(_M.MOS_HUNDREDTHS, 0) / 100, _sum(_M.LINES_MEASURED))),
    Metric("signed_in", Unit.MS, "time in every state but offline, cut at the boundaries", (_A,), _signed_in),
    Metric("occupied_split", Unit.MS, "time with anything in hand: talk, work or wrap-up, cut at the boundaries",
           (_A,), _sum(_M.OCCUPIED_SPLIT_MS)),
    Metric("idle_split", Unit.MS, "time ready with nothing in hand and nothing that rings, cut at the boundaries",
           (_A,), _sum(_M.IDLE_SPLIT_MS)),
    Metric("rung_split", Unit.MS, "time with nothing in hand while something rings, cut at the boundaries", (_A,),
           _sum(_M.RUNG_SPLIT_MS)),
    Metric("utilization_of_paid", Unit.SHARE, "occupied_split / paid_split", (_A,),
           _ratio(_sum(_M.OCCUPIED_SPLIT_MS), _sum(_M.PAID_SPLIT_MS))),
    Metric("utilization_of_scheduled_on_queue", Unit.SHARE, "occupied_split / scheduled_on_queue_split", (_A,),
           _ratio(_sum(_M.OCCUPIED_SPLIT_MS), _sum(_M.SCHEDULED_ON_QUEUE_SPLIT_MS))),
    Metric("talk_utilization_of_signed_in", Unit.SHARE, "talk_split / signed_in", (_A,),
           _ratio(_sum(_M.TALK_SPLIT_MS), _signed_in)),
    Metric("occupancy", Unit.SHARE, "occupied_split / (occupied_split + idle_split)", (_A,),
           _ratio(_sum(_M.OCCUPIED_SPLIT_MS), _sum(_M.OCCUPIED_SPLIT_MS, _M.IDLE_SPLIT_MS)), version=2),
    Metric("occupancy_with_ringing", Unit.SHARE,
           "(occupied_split + rung_split) / (occupied_split + rung_split + idle_split)", (_A,),
           _ratio(_sum(_M.OCCUPIED_SPLIT_MS, _M.RUNG_SPLIT_MS),
                  _sum(_M.OCCUPIED_SPLIT_MS, _M.RUNG_SPLIT_MS, _M.IDLE_SPLIT_MS)), version=2),
    Metric("utilization_of_signed_in", Unit.SHARE, "occupied_split / signed_in", (_A,),
           _ratio(_sum(_M.OCCUPIED_SPLIT_MS), _signed_in), version=2),
    Metric("concurrency", Unit.COUNT, "sum of the times in hand of all contacts / occupied_split", (_A,),
           _ratio(_sum(_M.IN_HAND_SPLIT_MS), _sum(_M.OCCUPIED_SPLIT_MS))),
    Metric("contacts_per_hour", Unit.PER_HOUR, "handled / signed_in", (_A,),
           _ratio(lambda sums: 3_600_000 * sums.get(_M.HANDLED, 0), _signed_in)),
    _of_agent(_M.SCHEDULED_SPLIT_MS, "time planned for anything but leave, cut at the boundaries"),
    _of_agent(_M.OUT_OF_SCHEDULE_SPLIT_MS, "of scheduled_split: doing anything but what was planned"),
    Metric("adherence", Unit.SHARE, "1 - out_of_schedule_split / scheduled_split", (_A,),
           _ratio(_less(_sum(_M.SCHEDULED_SPLIT_MS), _sum(_M.OUT_OF_SCHEDULE_SPLIT_MS)), _sum(_M.SCHEDULED_SPLIT_MS))),
    _of_agent(_M.SCHEDULED_ON_QUEUE_SPLIT_MS, "time planned for the queues, cut at the boundaries"),
    _of_agent(_M.ON_QUEUE_SPLIT_MS,
              "time ready, rung, talking or wrapping up on days that are planned, cut at the boundaries"),
    Metric("conformance", Unit.SHARE, "on_queue_split / scheduled_on_queue_split", (_A,),
           _ratio(_sum(_M.ON_QUEUE_SPLIT_MS), _sum(_M.SCHEDULED_ON_QUEUE_SPLIT_MS))),
    _of_agent(_M.PAID_SPLIT_MS, "time of paid shifts, leave included, cut at the boundaries"),
    _of_agent(_M.PAID_ABSENT_SPLIT_MS, "of paid_split: on leave, or signed out though planned for the queues"),
    _of_agent(_M.PAID_AWAY_SPLIT_MS, "of paid_split: not absent and not at the queues"),
    _of_agent(_M.PAID_PLANNED_AWAY_SPLIT_MS, "of paid_split: planned for anything but the queues"),
    Metric("shrinkage", Unit.SHARE, "(paid_absent_split + paid_away_split) / paid_split", (_A,),
           _ratio(_sum(_M.PAID_ABSENT_SPLIT_MS, _M.PAID_AWAY_SPLIT_MS), _sum(_M.PAID_SPLIT_MS))),
    Metric("shrinkage_external", Unit.SHARE, "paid_absent_split / paid_split", (_A,),
           _ratio(_sum(_M.PAID_ABSENT_SPLIT_MS), _sum(_M.PAID_SPLIT_MS))),
    Metric("shrinkage_internal", Unit.SHARE, "paid_away_split / paid_split", (_A,),
           _ratio(_sum(_M.PAID_AWAY_SPLIT_MS), _sum(_M.PAID_SPLIT_MS))),
    Metric("shrinkage_planned", Unit.SHARE, "paid_planned_away_split / paid_split", (_A,),
           _ratio(_sum(_M.PAID_PLANNED_AWAY_SPLIT_MS), _sum(_M.PAID_SPLIT_MS))),
    Metric("time_by_state_split", Unit.MS, "time in each state, cut at the boundaries", (_A,),
           _members(Family.STATE_SPLIT_MS)),
    Metric("time_by_state_closed", Unit.MS, "time in each state, whole, when it was left", (_A,),
           _members(Family.STATE_CLOSED_MS)),
    Metric("not_ready_by_reason_split", Unit.MS, "time not ready by reason, cut at the boundaries", (_A,),
           _members(Family.NOT_READY_SPLIT_MS)),
    Metric("not_ready_by_reason_closed", Unit.MS, "time not ready by reason, whole, when it was left", (_A,),
           _members(Family.NOT_READY_CLOSED_MS)),
)  # fmt: skip
"""The table. T is the queue's target, S the short-abandon limit (``postings.Rules``)."""


def metrics_of(kind: SubjectKind) -> tuple[Metric, ...]:
    """The metrics that a queue, or an agent, has."""
    return tuple(metric for metric in METRICS if kind in metric.subjects)


def evaluate(kind: SubjectKind, sums: Sums) -> dict[str, Value]:
    """Every metric of a queue or an agent, by id."""
    return {metric.id: metric.value(sums) for metric in metrics_of(kind)}


def formula_table() -> str:
    """The table as Markdown, as the package README shows it."""
    lines = ["| id | version | unit | of | formula |", "|---|---|---|---|---|"]
    lines += [
        f"| `{metric.id}` | {metric.version} | {metric.unit} | {', '.join(metric.subjects)} | {metric.formula} |"
        for metric in METRICS
    ]
    return "\n".join(lines) + "\n"
