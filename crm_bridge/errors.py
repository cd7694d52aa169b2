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


class RecordingNotFound(CrmError):
    """The contact has no such recording."""

    code = "recording-not-found"


class RecordingGone(CrmError):
    """The recording was deleted, is not finished, or its file cannot be read."""

    code = "recording-gone"


class ContactPointExists(CrmError):
    """The customer has this number or address already."""

    code = "contact-point-exists"


class InvalidContactPoint(CrmError):
    """What was given is not a phone number or e-mail address."""

    code = "invalid-contact-point"


class AlreadySettled(CrmError):
    """Somebody has said already what became of the promise."""

    code = "already-settled"


class BadCursor(CrmError):
    """The paging cursor was not made by this API."""

    code = "bad-cursor"


class EtagMismatch(CrmError):
    """The record is no longer the one the editor saw; read it again."""

    code = "etag-mismatch"


class EtagRequired(CrmError):
    """An edit has to say which version of the record it means."""

    code = "etag-required"


class InvalidField(CrmError):
    """A value does not fit its field, or there is no such field."""

    code = "invalid-field"


class OwnedByAnother(CrmError):
    """Somebody looks after this customer already."""

    code = "owned-by-another"


class ItemNotFound(CrmError):
    """The customer has no such contact point, preference, relation, tag or file; or the catalogue no such entry."""

    code = "item-not-found"


class HierarchyLoop(CrmError):
    """An organisation cannot stand above itself, directly or through others."""

    code = "hierarchy-loop"


class IdentityTaken(CrmError):
    """Another customer has this member number or messaging id."""

    code = "identity-taken"


class OnLegalHold(CrmError):
    """The customer is on legal hold and must not be erased."""

    code = "on-legal-hold"


class TokenNameTaken(CrmError):
    """A token has, or had, this name."""

    code = "token-name-taken"


class Forbidden(CrmError):
    """The person's roles do not allow this."""

    code = "forbidden"


class NotContactable(CrmError):
    """The customer must not be contacted now, this way, for this; the message lists the reasons."""

    code = "not-contactable"


class CannotMerge(CrmError):
    """These two cannot become one."""

    code = "cannot-merge"


class CannotUndo(CrmError):
    """This merge, or import, cannot be taken back any more."""

    code = "cannot-undo"


class DuplicateCustomer(CrmError):
    """The customer seems to be there already; the message names who looks after it and who is entering it."""

    code = "duplicate-customer"


class IdempotencyMismatch(CrmError):
    """The idempotency key was used for another request."""

    code = "idempotency-mismatch"


class AlreadyDone(CrmError):
    """The request was carried out before, but its answer is lost; read what is there."""

    code = "already-done"


class InvalidFile(CrmError):
    """The file cannot be read as a table."""

    code = "invalid-file"
