"""Errors of the customer store. Each has a stable lower-case ``code`` that is part of the API."""


class CrmError(Exception):
    """Anything this package raises on purpose. ``retryable``: the same request may succeed later, unchanged.

    ``where`` names the part of the request that is to blame (``"query.cursor"``), or is empty.
    """

    code = "crm-error"
    retryable = False

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where


class CrmUnavailable(CrmError):
    """The database does not answer, or not in time."""

    code = "crm-unavailable"
    retryable = True


class WriteConflict(CrmError):
    """The database refused a row that contradicts another one; read again and decide anew."""

    code = "write-conflict"
    retryable = True


class StaleRow(CrmError):
    """Somebody else changed the row since it was read."""

    code = "stale-row"
    retryable = True


class CustomerNotFound(CrmError):
    """No customer has this id."""

    code = "customer-not-found"


class InteractionNotFound(CrmError):
    """No interaction has this contact id."""

    code = "interaction-not-found"


class ContactPointExists(CrmError):
    """The customer has this number or address already."""

    code = "contact-point-exists"


class InvalidContactPoint(CrmError):
    """What was given is not a phone number or e-mail address."""

    code = "invalid-contact-point"


class BadCursor(CrmError):
    """The paging cursor was not made by this API."""

    code = "bad-cursor"
