"""Errors of the SIP front end."""

from typing import TYPE_CHECKING

from callcenter.errors import LocalSipError, RemoteSipError

if TYPE_CHECKING:
    from callcenter.sip.messages import SipRequest


class BadMessage(RemoteSipError):
    """What came is not acceptable SIP. A fresh instance each time: a shared one would collect tracebacks for ever.

    ``request`` holds what could be read when a request is to be answered statelessly; ``None`` means drop it
    (a response, or something whose start line says nothing).
    """

    code = "sip-bad-message"

    def __init__(self, status: int, reason: str, request: "SipRequest | None" = None) -> None:
        super().__init__(status, reason)
        self.request = request


class UnsafeValue(LocalSipError):
    """A value to be sent holds a control character and could forge a header. Nothing was built."""

    code = "sip-unsafe-value"

    def __init__(self, what: str) -> None:
        super().__init__(500, f"control character in {what}")


class IllegalTransition(LocalSipError):
    """A state machine has no row for this event; its state is unchanged."""

    code = "sip-illegal-transition"

    def __init__(self, machine: str, state: str, event: str) -> None:
        super().__init__(500, f"{machine}: no row for {event} in {state}")
