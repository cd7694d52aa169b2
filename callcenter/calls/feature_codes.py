"""Feature codes: what agents' phones dial, or transfer to, to have something done. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Feature(StrEnum):
    """What a code asks for."""

    PARK = "park"
    """Let the customer wait in a slot; the slot is said to who parked."""
    RETRIEVE = "retrieve"
    """With the slot behind it: take up who waits there."""
    PICK_UP = "pick_up"
    """Take what rings longest at a colleague; with an agent's id behind it, at that one."""
    MAILBOX = "mailbox"
    """Hear the own voice messages."""


@dataclass(frozen=True, slots=True)
class FeatureCodes:
    """The codes, each empty where the house has none."""

    park: str = "*68"
    retrieve: str = "*69"
    pick_up: str = "*8"
    mailbox: str = "*97"

    def read(self, dialled: str) -> tuple[Feature, str] | None:
        """Which feature was dialled, and what stands behind its code; ``None`` for no feature."""
        for feature in (Feature.PARK, Feature.MAILBOX):
            if dialled and dialled == getattr(self, feature):
                return feature, ""
        for feature in (Feature.RETRIEVE, Feature.PICK_UP):
            code = getattr(self, feature)
            if code and dialled.startswith(code) and (feature is Feature.PICK_UP or dialled != code):
                return feature, dialled.removeprefix(code)
        return None
