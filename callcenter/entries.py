"""What may stand in the journal and travel on the link: one table from a kind to the dataclass it names.

A kind is the stable name on disk. Renaming one needs a second row that still reads the old name.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, get_args, get_type_hints

import msgspec

from acd import events as acd_events
from acd import outcomes as acd_outcomes
from callcenter.appraisals.facts import ConversationScored, SurveyAnswered, SurveyAsked
from callcenter.calls import (
    callback_facts,
    clearance,
    facts,
    quality_facts,
    recording_facts,
    supervision_facts,
    voicemail_facts,
)
from callcenter.channels import facts as item_facts
from callcenter.code_meanings import CodesConfigured
from callcenter.errors import JournalError
from callcenter.housekeeping import HouseCounted
from callcenter.open_work import WorkNoted
from callcenter.service_targets import TargetsConfigured
from callcenter.workforce.shifts import ShiftsPlanned

ENTRY_KINDS: Mapping[str, type[Any]] = {
    "floor.configured": acd_events.FloorConfigured,
    "agent.signed_in": acd_events.AgentSignedIn,
    "agent.signed_out": acd_events.AgentSignedOut,
    "agent.made_ready": acd_events.AgentMadeReady,
    "agent.made_not_ready": acd_events.AgentMadeNotReady,
    "contact.arrived": acd_events.ContactArrived,
    "contact.left": acd_events.ContactLeft,
    "contact.present": acd_events.ContactPresent,
    "offer.accepted": acd_events.OfferAccepted,
    "offer.declined": acd_events.OfferDeclined,
    "contact.finished": acd_events.ContactFinished,
    "agent.engaged": acd_events.AgentEngaged,
    "wrap_up.finished": acd_events.WrapUpFinished,
    "wrap_up.extended": acd_events.WrapUpExtended,
    "queue.closed": acd_events.QueueClosed,
    "queue.opened": acd_events.QueueOpened,
    "agent.client_lost": acd_events.AgentClientLost,
    "agent.desk_closed": acd_events.AgentDeskClosed,
    "agent.desk_opened": acd_events.AgentDeskOpened,
    "contact.returned": acd_events.ContactReturned,
    "agent.presence_seen": acd_events.AgentPresenceSeen,
    "offer.made": acd_outcomes.OfferContact,
    "routing.timers_fired": facts.TimersFired,
    "routing.snapshot": facts.RoutingSnapshot,
    "call.arrived": facts.CallArrived,
    "call.answered": facts.CallAnswered,
    "call.step_taken": facts.CallStepTaken,
    "call.customer_matched": facts.CustomerMatched,
    "call.customer_identified": facts.CustomerIdentified,
    "call.queued": facts.CallQueued,
    "callback.requested": callback_facts.CallbackRequested,
    "callback.dialled": callback_facts.CallbackDialled,
    "callback.tried": callback_facts.CallbackTried,
    "callback.moved": callback_facts.CallbackMoved,
    "callback.closed": callback_facts.CallbackClosed,
    "call.overflowed": facts.CallOverflowed,
    "call.offered": facts.CallOffered,
    "call.offer_failed": facts.CallOfferFailed,
    "call.connected": facts.CallConnected,
    "call.number_connected": facts.NumberConnected,
    "call.segment_opened": facts.SegmentOpened,
    "call.segment_ended": facts.SegmentEnded,
    "call.held": facts.CallHeld,
    "call.resumed": facts.CallResumed,
    "call.conversation_changed": facts.ConversationChanged,
    "call.places_changed": facts.PlacesChanged,
    "call.parked": facts.CallParked,
    "call.out_checked": clearance.CallOutChecked,
    "call.ended": facts.CallEnded,
    "call.closed": facts.CallClosed,
    "call.corrected": facts.CallCorrected,
    "wrap_up.recorded": facts.WrapUpRecorded,
    "leg.measured": quality_facts.LegMeasured,
    "leg.quality_changed": quality_facts.LegQualityChanged,
    "leg.returned": quality_facts.LegReturned,
    "recording.announced": recording_facts.RecordingAnnounced,
    "recording.started": recording_facts.RecordingStarted,
    "recording.paused": recording_facts.RecordingPaused,
    "recording.resumed": recording_facts.RecordingResumed,
    "recording.stopped": recording_facts.RecordingStopped,
    "recording.impaired": recording_facts.RecordingImpaired,
    "recording.stored": recording_facts.RecordingStored,
    "card_entry.begun": recording_facts.CardEntryBegun,
    "card_entry.ended": recording_facts.CardEntryEnded,
    "card_entry.answered": recording_facts.CardEntryAnswered,
    "voicemail.begun": voicemail_facts.VoicemailBegun,
    "voicemail.worked": voicemail_facts.VoicemailWorked,
    "voicemail.heard": voicemail_facts.VoicemailHeard,
    "item.arrived": item_facts.ItemArrived,
    "item.moved": item_facts.ItemMoved,
    "item.accepted": item_facts.ItemAccepted,
    "item.offer_failed": item_facts.ItemOfferFailed,
    "item.returned": item_facts.ItemReturned,
    "item.closed": item_facts.ItemClosed,
    "item.corrected": item_facts.ItemCorrected,
    "supervision.ordered": supervision_facts.SupervisionOrdered,
    "supervision.joined": supervision_facts.SupervisionJoined,
    "supervision.changed": supervision_facts.SupervisionChanged,
    "supervision.ended": supervision_facts.SupervisionEnded,
    "supervision.hung_up": supervision_facts.SupervisorHungUp,
    "house.counted": HouseCounted,
    "targets.configured": TargetsConfigured,
    "work.noted": WorkNoted,
    "codes.configured": CodesConfigured,
    "shifts.planned": ShiftsPlanned,
    "survey.asked": SurveyAsked,
    "survey.answered": SurveyAnswered,
    "conversation.scored": ConversationScored,
}
"""Every journal entry: routing inputs, the decisions taken on them (to explain, and to check a replay), call facts."""

KIND_OF: Mapping[type[Any], str] = {entry: kind for kind, entry in ENTRY_KINDS.items()}


_ENCODED = msgspec.msgpack.Encoder().encode
_SUBJECTS = ("call_id", "contact_id", "agent_id")


def _reader_of_subject(entry: type[Any]) -> Callable[[Any], str | None]:
    """How the subject of such entries is read: most have it for certain, some perhaps, some none."""
    hints = get_type_hints(entry)
    names = [name for name in _SUBJECTS if name in hints]
    if not names:
        return lambda _: None
    if type(None) not in get_args(hints[names[0]]):
        return attrgetter(names[0])
    return lambda each: next((value for name in names if (value := getattr(each, name)) is not None), None)


_READ = {entry: (kind, _reader_of_subject(entry)) for entry, kind in KIND_OF.items()}


def row_of(entry: object) -> tuple[str, str | None, bytes]:
    """An entry's kind, subject (see ``subject_of``) and body. Raises ``JournalError`` for a type that has no row in the
    table."""
    known = _READ.get(type(entry))
    if known is None:
        raise JournalError(f"{type(entry).__name__} has no row in callcenter.entries.ENTRY_KINDS")
    kind, subject = known
    return kind, subject(entry), _ENCODED(entry)


def encode(entry: object) -> tuple[str, bytes]:
    """An entry's kind and body. Raises ``JournalError`` for a type that has no row in the table."""
    kind, _, body = row_of(entry)
    return kind, body


def subject_of(entry: object) -> str | None:
    """What an entry is about: its call or contact, else its agent; ``None`` for entries about the whole floor."""
    return _READ[type(entry)][1](entry)


def decode(kind: str, body: bytes) -> Any:
    """The entry that ``encode`` took apart. Raises ``JournalError`` for an unknown kind or a body that does not fit."""
    entry = ENTRY_KINDS.get(kind)
    if entry is None:
        raise JournalError(f"journal entry of unknown kind {kind!r}; it was written by a newer version")
    try:
        return msgspec.msgpack.decode(body, type=entry)
    except msgspec.MsgspecError as error:
        raise JournalError(f"journal entry of kind {kind!r} cannot be read: {error}") from error
