"""What the site's codes mean: reasons of pauses to the roster, wrap-up codes to the figures. Pure.

Journaled whenever the exchange starts, so that a report of an old day knows what they meant then.
"""

from dataclasses import dataclass

from callcenter.workforce.activities import PauseMeaning


@dataclass(frozen=True, slots=True)
class WrapUpMeaning:
    """What a wrap-up code says about the conversation."""

    code: str
    right_party: bool = False
    """The person who was meant was reached."""
    issue: str = ""
    """What it was about, where several codes are about the same; empty: the code itself."""


@dataclass(frozen=True, slots=True)
class CodesConfigured:
    """The codes mean this from now on. ``at`` in milliseconds."""

    at: int
    pauses: tuple[PauseMeaning, ...]
    wrap_ups: tuple[WrapUpMeaning, ...]
