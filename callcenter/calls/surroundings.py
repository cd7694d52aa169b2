"""What the parts of a call need of the house, as the protocols they share; ``calls.dependencies`` has all of it."""

from typing import Protocol

from callcenter.bus import Bus
from callcenter.ports import Clock, Journal, MediaPlane


class WritingSurroundings(Protocol):
    """For who journals facts and tells them."""

    @property
    def clock(self) -> Clock: ...  # noqa: D102 - named by its type

    @property
    def journal(self) -> Journal: ...  # noqa: D102

    @property
    def bus(self) -> Bus: ...  # noqa: D102


class RecordingSurroundings(WritingSurroundings, Protocol):
    """For who has something recorded as well."""

    @property
    def media(self) -> MediaPlane: ...  # noqa: D102
