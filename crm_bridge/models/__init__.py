"""Tables of the customer store."""

from crm_bridge.models.base import Base, UtcDateTime
from crm_bridge.models.customer import ContactPoint, Customer, PhoneLookup, SearchTerm
from crm_bridge.models.interaction import Interaction, ProjectionCursor, WrapUp
from crm_bridge.models.timeline import Note, TimelineEvent

__all__ = [
    "Base",
    "ContactPoint",
    "Customer",
    "Interaction",
    "Note",
    "PhoneLookup",
    "ProjectionCursor",
    "SearchTerm",
    "TimelineEvent",
    "UtcDateTime",
    "WrapUp",
]
