"""The words of the customer store: short, stable, the same in the database, in code and on the wire."""

from enum import StrEnum


class CustomerKind(StrEnum):
    """A human being, or a body of them."""

    PERSON = "person"
    ORG = "org"


class CustomerStatus(StrEnum):
    """Only active customers are matched and found."""

    ACTIVE = "active"
    MERGED = "merged"
    ERASED = "erased"


class ContactKind(StrEnum):
    """What a contact point is."""

    PHONE = "phone"
    EMAIL = "email"


class ContactUsage(StrEnum):
    """What a contact point is used for."""

    HOME = "home"
    WORK = "work"
    MOBILE = "mobile"
    FAX = "fax"
    BILLING = "billing"
    OTHER = "other"


class Direction(StrEnum):
    """Who began."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class MatchState(StrEnum):
    """What the store knew about the other party."""

    PENDING = "pending"
    NONE = "none"
    ONE = "one"
    MANY = "many"
    MANUAL = "manual"
    """Somebody said who it was."""
    UNAVAILABLE = "unavailable"


class TimelineKind(StrEnum):
    """What an entry of the timeline is about. The database does not hold this list: later kinds need no migration."""

    CUSTOMER_CREATED = "customer_created"
    INTERACTION = "interaction"
    NOTE = "note"
