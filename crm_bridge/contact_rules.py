"""Whether somebody may be contacted now, by this channel, for this purpose. Pure; ``contactability`` loads the facts.

The decision names every reason against, not only the first: an agent who hears "quiet hours" must not believe that
tomorrow morning would do when there is no consent either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from crm_bridge.vocabulary import ConsentStatus

_A_DAY = 24 * 60
_CALLS_AT_THE_DOOR = frozenset({"voice", "sms", "visit", "fax"})
"""Channels that make a noise at night; the others wait silently."""


BY_HAND = "by_hand"
"""The purpose of a number that an agent dials."""
CALLBACK = "callback"
"""The purpose of a call that the customer asked for."""


class Against(StrEnum):
    """Why not. Stable codes of the API."""

    SUPPRESSED = "suppressed"
    NO_CONSENT = "no-consent"
    CONSENT_DENIED = "consent-denied"
    UNKNOWN_PURPOSE = "unknown-purpose"
    QUIET_HOURS = "quiet-hours"
    OUTSIDE_WISHED_HOURS = "outside-wished-hours"
    NOT_REACHABLE = "not-reachable"


OF_THE_CLOCK = frozenset({Against.QUIET_HOURS, Against.OUTSIDE_WISHED_HOURS})
"""What a person may take upon themselves. Nothing else that speaks against a call can be overridden by anybody."""


@dataclass(frozen=True, slots=True)
class PurposeRule:
    """What a purpose needs. ``only_opt_out``: contact is fine until the customer objects."""

    needs_consent: bool
    keeps_quiet_hours: bool = True


PURPOSES: Mapping[str, PurposeRule] = MappingProxyType(
    {
        "service": PurposeRule(needs_consent=False),
        CALLBACK: PurposeRule(needs_consent=False, keeps_quiet_hours=False),
        "survey": PurposeRule(needs_consent=False),
        "collection": PurposeRule(needs_consent=False),
        "marketing": PurposeRule(needs_consent=True),
        "recommendation": PurposeRule(needs_consent=True),
        "safety": PurposeRule(needs_consent=False, keeps_quiet_hours=False),
        BY_HAND: PurposeRule(needs_consent=False),
    }
)
"""The purposes that are shipped. A callback was asked for; safety is a recall or a warning; by hand is what an agent
dials, who may be allowed to answer for the hour (``OF_THE_CLOCK``)."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The part of the customer's day in which nobody rings, over midnight."""

    begin: time = time(21, 0)
    end: time = time(8, 0)


@dataclass(frozen=True, slots=True)
class ConsentFact:
    """The newest thing a customer said that applies."""

    status: ConsentStatus
    captured_at: datetime
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WishedHours:
    """Minutes from midnight, and weekdays (0 is Monday); no weekdays means every day."""

    from_minute: int = 0
    to_minute: int = _A_DAY
    weekdays: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """What the decision rests on. Several ``zones`` when it is not sure where the customer is: all must agree.

    ``consents`` has one entry for each active customer who has the number, ``None`` for one who said nothing.
    """

    channel: str
    purpose: str
    now: datetime
    reachable: bool = True
    suppressed: bool = False
    consents: Sequence[ConsentFact | None] = ()
    zones: Sequence[str] = ()
    wished: WishedHours | None = None


@dataclass(frozen=True, slots=True)
class Contactability:
    """The decision. ``again_at`` is set when waiting is all it takes; ``local_times`` are where the customer may be."""

    reasons: tuple[Against, ...]
    again_at: datetime | None = None
    local_times: tuple[datetime, ...] = ()

    @property
    def is_allowed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons

    @property
    def is_of_the_clock(self) -> bool:
        """Whether nothing but the hour speaks against it."""
        return bool(self.reasons) and OF_THE_CLOCK.issuperset(self.reasons)


def contactability(
    facts: ContactFacts, *, purposes: Mapping[str, PurposeRule] = PURPOSES, quiet: QuietHours = QuietHours()
) -> Contactability:
    """Decide."""
    rule = purposes.get(facts.purpose)
    lasting: list[Against] = []
    if rule is None:
        return Contactability((Against.UNKNOWN_PURPOSE,))
    if not facts.reachable:
        lasting.append(Against.NOT_REACHABLE)
    if facts.suppressed:
        lasting.append(Against.SUPPRESSED)
    lasting += _of_consents(facts, rule)
    local_times = tuple(sorted({facts.now.astimezone(ZoneInfo(zone)) for zone in facts.zones}, key=_on_the_wall))
    passing = _of_hours(facts, facts.now, rule, quiet)
    if not passing:
        return Contactability(tuple(lasting), local_times=local_times)
    again_at = None if lasting else _next_allowed(facts, rule, quiet)
    return Contactability((*lasting, *passing), again_at, local_times)


def _on_the_wall(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _of_consents(facts: ContactFacts, rule: PurposeRule) -> list[Against]:
    """An objection of anybody who shares the number counts; a consent has to come from one of them at least."""
    valid = [each for each in facts.consents if each and not (each.until_at and each.until_at <= facts.now)]
    if any(each.status in {ConsentStatus.DENIED, ConsentStatus.WITHDRAWN} for each in valid):
        return [Against.CONSENT_DENIED]
    if rule.needs_consent and not any(each.status is ConsentStatus.GIVEN for each in valid):
        return [Against.NO_CONSENT]
    return []


def _of_hours(facts: ContactFacts, at: datetime, rule: PurposeRule, quiet: QuietHours) -> list[Against]:
    if not rule.keeps_quiet_hours or facts.channel not in _CALLS_AT_THE_DOOR:
        return []
    if facts.purpose == BY_HAND and not facts.zones:
        return []  # a short code, an extension, an emergency number: nobody sleeps there
    local = [at.astimezone(ZoneInfo(zone)) for zone in facts.zones] or [at]
    reasons = []
    if any(_is_quiet(moment.time(), quiet) for moment in local):
        reasons.append(Against.QUIET_HOURS)
    if facts.wished is not None and not all(_is_wished(moment, facts.wished) for moment in local):
        reasons.append(Against.OUTSIDE_WISHED_HOURS)
    return reasons


def _is_quiet(moment: time, quiet: QuietHours) -> bool:
    if quiet.begin <= quiet.end:
        return quiet.begin <= moment < quiet.end
    return moment >= quiet.begin or moment < quiet.end


def _is_wished(moment: datetime, wished: WishedHours) -> bool:
    minute = moment.hour * 60 + moment.minute
    if wished.weekdays and moment.weekday() not in wished.weekdays:
        return False
    if wished.from_minute <= wished.to_minute:
        return wished.from_minute <= minute < wished.to_minute
    return minute >= wished.from_minute or minute < wished.to_minute


def _next_allowed(facts: ContactFacts, rule: PurposeRule, quiet: QuietHours) -> datetime | None:
    """The first quarter of an hour within eight days at which only the clock was in the way."""
    step = timedelta(minutes=15)
    start = facts.now.replace(minute=facts.now.minute // 15 * 15, second=0, microsecond=0)
    for count in range(1, 8 * 96):
        if not _of_hours(facts, start + step * count, rule, quiet):
            return start + step * count
    return None
