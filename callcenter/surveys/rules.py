"""Who is asked after a contact, when, by what, in which words. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from callcenter.appraisals.facts import RANGES, SurveyKind
from callcenter.surveys.contacts import Origin

LINK, SCALE = "{link}", "{scale}"
BLANKS = frozenset({"link", "scale", "company"})
"""What may stand in braces in a text."""
QUESTIONS: Mapping[SurveyKind, Mapping[str, str]] = {
    SurveyKind.CSAT: {
        "en": "{company}: how satisfied were you with our service? {scale}: {link}",
        "zh": "{company}：您对我们的服务满意吗？{scale}：{link}",
    },
    SurveyKind.NPS: {
        "en": "{company}: how likely are you to recommend us? {scale}: {link}",
        "zh": "{company}：您有多大可能向他人推荐我们？{scale}：{link}",
    },
}
"""The house's own words."""
SCALES: Mapping[SurveyKind, Mapping[str, str]] = {
    SurveyKind.CSAT: {"en": "1 (not at all) to 5 (very)", "zh": "1（非常不满意）到 5（非常满意）"},
    SurveyKind.NPS: {"en": "0 (not at all) to 10 (very)", "zh": "0（完全不会）到 10（非常愿意）"},
}
SUBJECTS: Mapping[str, str] = {"en": "How was it?", "zh": "您的体验如何？"}
_WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class SurveyRule:
    """How one queue asks. Milliseconds; ``channels`` in the order in which they are tried when the customer has no
    preference."""

    kind: SurveyKind = SurveyKind.CSAT
    share_percent: float = 100.0
    after_ms: int = 600_000
    apart_days: int = 30
    """A person is asked once in so many days at most, whatever queue it was."""
    expires_ms: int = 7 * 86_400_000
    channels: tuple[str, ...] = ("sms", "email")
    texts: Mapping[str, str] = field(default_factory=dict)
    origins: frozenset[Origin] = frozenset({Origin.CUSTOMER, Origin.CALLBACK})
    """What came about otherwise is not asked about."""

    def chooses(self, call_id: str, key: bytes) -> bool:
        """Whether this contact is in the share: the same answer whenever it is asked, and no other contact's."""
        drawn = int.from_bytes(hashlib.blake2b(call_id.encode(), key=key, digest_size=8).digest()) % _WHOLE
        return drawn < self.share_percent * _WHOLE / 100

    def language(self, wished: str | None) -> str:
        """The language to ask in: the customer's where there are words for it."""
        known = self.texts or QUESTIONS[self.kind]
        return wished if wished is not None and wished in known else next(iter(known))

    def text(self, language: str, *, company: str, link: str) -> str:
        """The message in a language that ``language`` gave."""
        words = (self.texts or QUESTIONS[self.kind])[language]
        scale = SCALES[self.kind].get(language, SCALES[self.kind]["en"])
        return words.replace("{company}", company).replace(SCALE, scale).replace(LINK, link)

    def subject(self, language: str, company: str) -> str:
        """What an e-mail is headed."""
        return f"{company}: {SUBJECTS.get(language, SUBJECTS['en'])}"


def bounds(kind: str) -> tuple[int, int]:
    """The lowest and the highest answer."""
    return RANGES[SurveyKind(kind)]
