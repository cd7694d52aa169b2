"""What a customer who is called back hears first, by queue and language. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ivr.effects import PromptText

USUAL: Mapping[str, str] = {
    "en": "Hello. This is the call back you asked for. One moment, please.",
    "zh": "您好，这是您要求的回电，请稍候。",
}
"""The greeting of queues that have none of their own."""


@dataclass(frozen=True, slots=True)
class Greetings:
    """``of_queue``: the text of each language, by queue; a queue without any has the usual one."""

    of_queue: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def prompt(self, queue_id: str, language: str) -> PromptText:
        """What is said; in the queue's first language to who speaks none of them."""
        texts = self.of_queue.get(queue_id) or USUAL
        code = language if language in texts else next(iter(texts))
        return PromptText(f"callback-greeting-{queue_id}", code, texts[code])

    def prompts(self) -> Iterator[PromptText]:
        """Everything that may be said, to be rendered beforehand."""
        for queue_id, texts in self.of_queue.items():
            for language in texts or USUAL:
                yield self.prompt(queue_id, language)
