"""Whose conversations somebody may supervise."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """The conversations of these queues and these agents; ``None`` for all."""

    queues: frozenset[str] | None = None
    agents: frozenset[str] | None = None


SupervisorRights = Mapping[str, Reach]
"""By person; who is not in it may supervise nobody."""
