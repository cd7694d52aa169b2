"""What the console refuses, and how the web says so: one table from error to HTTP status and stable code."""

from collections.abc import Mapping

import msgspec

from agent_console.ports import IntentError


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every refused HTTP request. ``code`` is stable and part of the API, ``message`` is for people."""

    code: str
    message: str


class ConsoleError(Exception):
    """Anything the console refuses on purpose."""


class NotSignedIn(ConsoleError):
    """No session, or one that ended."""


class WrongCredentials(ConsoleError):
    """The login, the password or both are wrong; which of them is never told."""


class TooManyAttempts(ConsoleError):
    """Sign-in is delayed for this login from this address, or too many sign-ins are being checked at this moment."""

    def __init__(self, message: str, *, retry_after_ms: int) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class InvalidToken(ConsoleError):
    """A token that is unknown, expired or revoked; which of them is never told."""


class TooManyRequests(ConsoleError):
    """A program asks more often than it may."""

    def __init__(self, message: str, *, retry_after_ms: int) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class Unavailable(ConsoleError):
    """What is needed to answer is away at this moment."""


class NotAllowed(ConsoleError):
    """The person is known and lacks the role."""


class NotFound(ConsoleError):
    """There is nothing of this name."""


class ForeignOrigin(ConsoleError):
    """A state-changing request, or a socket, that another site's page started."""


class WrongMediaType(ConsoleError):
    """A body that is not JSON."""


class BodyTooLarge(ConsoleError):
    """A body past the limit; it was not read to its end."""


class MalformedRequest(ConsoleError):
    """JSON of the wrong shape."""


STATUS_AND_CODE: Mapping[type[ConsoleError], tuple[int, str]] = {
    NotSignedIn: (401, "not-signed-in"),
    WrongCredentials: (401, "wrong-credentials"),
    InvalidToken: (401, "invalid-token"),
    NotAllowed: (403, "not-allowed"),
    NotFound: (404, "not-found"),
    ForeignOrigin: (403, "foreign-origin"),
    BodyTooLarge: (413, "body-too-large"),
    WrongMediaType: (415, "wrong-media-type"),
    MalformedRequest: (422, "malformed-request"),
    TooManyAttempts: (429, "too-many-attempts"),
    TooManyRequests: (429, "too-many-requests"),
    Unavailable: (503, "unavailable"),
}
"""Every ``ConsoleError`` has exactly one row. Codes are API: they may be added, not renamed."""

STATUS_NAMES: Mapping[int, str] = {
    400: "malformed-request",
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "body-too-large",
    415: "wrong-media-type",
    422: "malformed-request",
    429: "too-many-attempts",
    500: "internal-error",
    503: "unavailable",
}
"""Codes for statuses the web framework raises by itself."""


def describe(error: ConsoleError | IntentError) -> tuple[int, ErrorBody]:
    """Status and body for a refused request. A refused wish of the desk is 409: the state of the floor says no."""
    if isinstance(error, IntentError):
        return 409, ErrorBody(error.code, error.message)
    status, code = STATUS_AND_CODE[type(error)]
    return status, ErrorBody(code, str(error))
