"""The bus: facts that are already journaled, told to whoever listens. Losing a listener changes nothing."""

from collections.abc import Callable, Iterable

import structlog

log = structlog.get_logger(__name__)

Listener = Callable[[object, int], None]
"""Called with a fact and its instant (milliseconds). Must return at once and must not raise."""


class Bus:
    """Tells each fact to each listener, in order, within the caller's turn of the loop."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Add a listener; it hears the facts from now on."""
        self._listeners.append(listener)

    def publish_all(self, facts: Iterable[object], at: int) -> None:
        """Tell several facts of one instant."""
        for fact in facts:
            self.publish(fact, at)

    def publish(self, fact: object, at: int) -> None:
        """Tell a fact. A listener that raises is logged and does not keep the others from hearing it."""
        for listener in self._listeners:
            try:
                listener(fact, at)
            except Exception:  # a listener must never harm the call or the routing that tells the fact
                log.exception("listener failed", fact=type(fact).__name__)
