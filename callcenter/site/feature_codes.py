"""Feature codes in the site file: what agents' phones dial to have something done."""

from itertools import permutations
from typing import Annotated, Self

from pydantic import Field, model_validator

from callcenter.calls.feature_codes import Feature, FeatureCodes
from callcenter.site.fields import SiteModel

Code = Annotated[str, Field(pattern=r"^([*#][0-9*#]{1,7})?$")]
"""Begins with ``*`` or ``#``, so that it is no number; empty for none."""
DEFAULTS = FeatureCodes()


class FeatureCodesModel(SiteModel):
    """What phones dial. Each may be left out by an empty text."""

    park: Code = DEFAULTS.park
    """Transferred to, or dialled on a second line: parks the customer and says in which slot."""
    retrieve: Code = DEFAULTS.retrieve
    """With the slot behind it: takes up who waits there."""
    pick_up: Code = DEFAULTS.pick_up
    """Takes what rings longest at a colleague; with an agent's id behind it, at that one."""
    mailbox: Code = DEFAULTS.mailbox
    """The own voice messages."""

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        codes = {feature: getattr(self, feature) for feature in Feature if getattr(self, feature)}
        for one, other in permutations(codes, 2):
            if codes[other].startswith(codes[one]):
                raise ValueError(
                    f"{one} = {codes[one]!r} is how {other} = {codes[other]!r} begins; phones could not tell them apart"
                )
        return self

    @property
    def codes(self) -> FeatureCodes:
        """As the calls know them."""
        return FeatureCodes(self.park, self.retrieve, self.pick_up, self.mailbox)
