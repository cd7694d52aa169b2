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


class InvitationState(StrEnum):
    """How far a survey by message has come."""

    PLANNED = "planned"
    ASKING = "asking"
    """The journal has, or is about to have, that it is asked; whether it went out is not known yet."""
    SENT = "sent"
    FAILED = "failed"
    """It could not be sent."""
    SKIPPED = "skipped"
    """It was not to be sent."""


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
    CHANGE = "change"
    ATTACHMENT = "attachment"
    CONSENT = "consent"
    PROMISE = "promise"
    PROMISE_SETTLED = "promise_settled"
    MERGED = "merged"
    MERGE_UNDONE = "merge_undone"


class PromiseState(StrEnum):
    """What has become of a promise."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"
    """The customer does not want it any more."""


class TranscriptState(StrEnum):
    """How far the writing down of a conversation has come."""

    WAITING = "waiting"
    """It did not succeed and is tried again."""
    DONE = "done"
    FAILED = "failed"
    """It is not tried any more."""
    SKIPPED = "skipped"
    """The engine does not know the language."""


class DuplicateState(StrEnum):
    """What has been decided about two customers that may be one."""

    OPEN = "open"
    MERGED = "merged"
    REJECTED = "rejected"


class ImportState(StrEnum):
    """How far an import is."""

    RUNNING = "running"
    DONE = "done"
    UNDONE = "undone"


class OnDuplicate(StrEnum):
    """What to do when a customer who is being entered seems to be there already."""

    WARN = "warn"
    """Enter it, and say so."""
    BLOCK = "block"
    """Refuse."""
    LINK = "link"
    """Give the numbers to the one who is there."""


class ConsentStatus(StrEnum):
    """What a customer said."""

    GIVEN = "given"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    PENDING = "pending"
    """Asked, and not confirmed yet (double opt-in)."""


class PartyKind(StrEnum):
    """How the party stands to us."""

    EXTERNAL = "external"
    INTERNAL = "internal"
    PARTNER = "partner"
    SUPPLIER = "supplier"
    GOVERNMENT = "government"


class FieldType(StrEnum):
    """What a custom field holds."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"


class FieldGroup(StrEnum):
    """The three groups of what is worth knowing about a customer."""

    VISIBLE = "visible"
    """What one sees: age, family, occupation."""
    RELATED = "related"
    """What has to do with the business: years of use, model, contract."""
    EXTENDED = "extended"
    """What lies around it: relatives, interests, employer."""


class DataClass(StrEnum):
    """How sensitive a field is. The last three are shown only for a purpose with a legal basis."""

    PUBLIC = "public"
    PERSONAL = "personal"
    SPECIAL_CATEGORY = "special_category"
    FINANCIAL = "financial"
    LOCATION = "location"


class PreferenceKind(StrEnum):
    """What kind of taste is remembered."""

    CONTACT_MANNER = "contact_manner"
    CONTACT_TIME = "contact_time"
    HOBBY = "hobby"
    GIFT = "gift"
    OTHER = "other"


class PreferenceSource(StrEnum):
    """Where a preference is known from."""

    CUSTOMER = "customer"
    """The customer said so."""
    AGENT = "agent"
    """Somebody here noticed it."""
    THIRD_PARTY = "third_party"
    SURVEY = "survey"
    IMPORT = "import"


class ClaimState(StrEnum):
    """What was decided about a claim to a customer whom somebody else looks after."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"


class SourceKind(StrEnum):
    """Where something about a customer is known from."""

    IMPORT = "import"
    API = "api"
    """A program wrote it."""
    AGENT = "agent"
    """Somebody wrote it, outside of a conversation."""
    CALL = "call"
    """Whoever wrote it was in a contact with the customer, or had just been."""
    MERGE = "merge"
    """It was another customer's, who turned out to be the same."""
    SELF = "self"
    """The customer entered it."""
    RULE = "rule"
    """The product worked it out."""
    UNKNOWN = "unknown"


LIFECYCLE_STAGES = ("potential", "intending", "prospective", "contracted", "prospective_owner", "owner", "member")
"""Shipped as the default list; an installation may use other words."""
