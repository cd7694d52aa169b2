"""Tables of the customer store."""

from crm_bridge.models.access import ApiToken, EndedSession
from crm_bridge.models.audit import AuditEntry, AuditHead, IdempotencyKey
from crm_bridge.models.base import Base, UtcDateTime
from crm_bridge.models.customer import ContactPoint, Customer, PhoneLookup, SearchText
from crm_bridge.models.duplicates import Collision, DuplicateCandidate, MergeEvent, MergeItem, OwnerClaim
from crm_bridge.models.interaction import ContactParent, Interaction, ProjectionCursor, WrapUp
from crm_bridge.models.invitation import SurveyInvitation
from crm_bridge.models.line_quality import LineQuality
from crm_bridge.models.privacy import (
    AccessEntry,
    Consent,
    FieldBasis,
    HoursOverride,
    LegalHold,
    StoreSecret,
    Suppression,
)
from crm_bridge.models.profile import (
    Attachment,
    ContactPreference,
    CustomerChange,
    CustomerLevel,
    CustomerProfile,
    CustomerTag,
    CustomField,
    ExternalIdentity,
    Ownership,
    PersonalPreference,
    Relation,
)
from crm_bridge.models.promise import AttachmentContent, Promise
from crm_bridge.models.recording import Recording
from crm_bridge.models.requests import (
    ErasureReceipt,
    HeldErasure,
    ImportedCustomer,
    ImportJob,
    JournalErasure,
    MaintenanceRun,
    RetentionRule,
)
from crm_bridge.models.survey import SurveyResponse
from crm_bridge.models.timeline import Note, TimelineEvent
from crm_bridge.models.transcript import Transcript
from crm_bridge.models.voicemail import Voicemail

__all__ = [
    "AccessEntry",
    "ApiToken",
    "Attachment",
    "AttachmentContent",
    "AuditEntry",
    "AuditHead",
    "Base",
    "Collision",
    "Consent",
    "ContactParent",
    "ContactPoint",
    "ContactPreference",
    "CustomField",
    "Customer",
    "CustomerChange",
    "CustomerLevel",
    "CustomerProfile",
    "CustomerTag",
    "DuplicateCandidate",
    "EndedSession",
    "ErasureReceipt",
    "ExternalIdentity",
    "FieldBasis",
    "HeldErasure",
    "HoursOverride",
    "IdempotencyKey",
    "ImportJob",
    "ImportedCustomer",
    "Interaction",
    "JournalErasure",
    "LegalHold",
    "LineQuality",
    "MaintenanceRun",
    "MergeEvent",
    "MergeItem",
    "Note",
    "OwnerClaim",
    "Ownership",
    "PersonalPreference",
    "PhoneLookup",
    "ProjectionCursor",
    "Promise",
    "Recording",
    "Relation",
    "RetentionRule",
    "SearchText",
    "StoreSecret",
    "Suppression",
    "SurveyInvitation",
    "SurveyResponse",
    "TimelineEvent",
    "Transcript",
    "UtcDateTime",
    "Voicemail",
    "WrapUp",
]
