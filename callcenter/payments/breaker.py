"""A circuit breaker: a neighbour that keeps failing is left alone for a while, then tried with one request. Pure."""

from dataclasses import dataclass

FAILURES = 3
REST_MS = 30_000


@dataclass(slots=True)
class Breaker:
    """Closed while things go well. Instants are milliseconds of one clock."""

    failures: int = FAILURES
    """In a row, after which it opens."""
    rest_ms: int = REST_MS
    _failed: int = 0
    _open_until: int = 0
    _is_trying: bool = False

    def allows(self, *, now: int) -> bool:
        """Whether a request may go out; after the rest one, whose outcome decides."""
        if self._failed < self.failures:
            return True
        if now < self._open_until or self._is_trying:
            return False
        self._is_trying = True
        return True

    def succeeded(self) -> None:
        """A request went well."""
        self._failed, self._is_trying = 0, False

    def failed(self, *, now: int) -> None:
        """A request failed."""
        self._failed += 1
        self._is_trying = False
        if self._failed >= self.failures:
            self._open_until = now + self.rest_ms
