"""The bus: facts that are already journaled, told to whoever listens. Losing a listener changes nothing."""

from collections.abc import Callable, Iterable
from typing import Any

import structlog

log = structlog.get_logger(__name__)

Listener = Callable[[Any, int], None]
"""Called with a fact of its types and the instant (milliseconds). Must return at once and must not raise."""


class Bus:
    """Tells each fact to each listener, in order, within the caller's turn of the loop."""

    def __init__(self) -> None:
        self._listeners: list[tuple[Listener, tuple[type, ...]]] = []
        self._by_type: dict[type, tuple[Listener, ...]] = {}
        """Who hears facts of a type, once one was told."""

    def subscribe(self, listener: Listener, *types: type) -> None:
        """Add a listener; it hears the facts of these types from now on, without any all facts."""
        self._listeners.append((listener, types or (object,)))
        self._by_type.clear()

    def publish(self, fact: object, at: int) -> None:
        """Tell a fact. A listener that raises is logged and does not keep the others from hearing it."""
        self.publish_all((fact,), at)

    def publish_all(self, facts: Iterable[object], at: int) -> None:
        """Tell several facts of one instant, one after the other."""
        for fact in facts:
            listeners = self._by_type.get(type(fact))
            if listeners is None:
                listeners = tuple(each for each, types in self._listeners if isinstance(fact, types))
                self._by_type[type(fact)] = listeners
            for listener in listeners:
                try:
                    listener(fact, at)
                except Exception:  # a listener must never harm the call or the routing that tells the fact
                    log.exception("listener failed", fact=type(fact).__name__)
