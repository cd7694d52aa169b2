"""What is open: the calls, items, messages, recordings and callbacks that a restart must know of, by id alone. Pure.

Everything about them is in the journal, under their ids. Which they are is noted there from time to time
(``WorkNoted``), so that a start reads the newest note, what was written since, and the entries of what is open; never
the whole past. A note holds ids and nothing of any person.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from callcenter.calls.callback_facts import CallbackClosed, CallbackRequested
from callcenter.calls.facts import CallArrived, CallClosed
from callcenter.calls.recording_facts import RecordingImpaired, RecordingStarted, RecordingStored
from callcenter.calls.voicemail import NOT_STARTED
from callcenter.calls.voicemail_facts import VoicemailBegun, VoicemailHeard, VoicemailWorked
from callcenter.channels.facts import ItemArrived, ItemClosed
from callcenter.ports import Journal

REMEMBERED = 2_000
"""Items that ended lately, which their adapters may bring once more."""


@dataclass(frozen=True, slots=True)
class WorkNoted:
    """What is open when this is written, by id."""

    at: int
    calls: tuple[str, ...] = ()
    items: tuple[tuple[str, str], ...] = ()
    """Each with the call it came from, or nothing."""
    heard: tuple[str, ...] = ()
    """Items that somebody listened to by phone."""
    spoken: tuple[tuple[str, str], ...] = ()
    """Messages that are no items yet, each with its call."""
    recordings: tuple[tuple[str, str], ...] = ()
    """Recordings whose end is not known, each with its call."""
    callbacks: tuple[str, ...] = ()
    ended_items: tuple[str, ...] = ()
    """The last that ended, the newest last."""


@dataclass(slots=True)
class OpenWork:
    """The fold: feed it every entry in order, from the newest note on or from the journal's beginning."""

    calls: dict[str, None] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)
    heard: dict[str, None] = field(default_factory=dict)
    spoken: dict[str, str] = field(default_factory=dict)
    recordings: dict[str, str] = field(default_factory=dict)
    callbacks: dict[str, None] = field(default_factory=dict)
    ended_items: dict[str, None] = field(default_factory=dict)

    @classmethod
    def of(cls, note: WorkNoted) -> "OpenWork":
        """What a note holds."""
        return cls(
            dict.fromkeys(note.calls),
            dict(note.items),
            dict.fromkeys(note.heard),
            dict(note.spoken),
            dict(note.recordings),
            dict.fromkeys(note.callbacks),
            dict.fromkeys(note.ended_items),
        )

    def note(self, at: int) -> WorkNoted:
        """What is open now, to be written down."""
        return WorkNoted(
            at,
            tuple(self.calls),
            tuple(self.items.items()),
            tuple(self.heard),
            tuple(self.spoken.items()),
            tuple(self.recordings.items()),
            tuple(self.callbacks),
            tuple(self.ended_items),
        )

    def take(self, entry: object) -> None:
        """Take an entry of one of ``TAKEN``; others change nothing."""
        match entry:
            case CallArrived(call_id=call_id):
                self.calls[call_id] = None
            case CallClosed(call_id=call_id):
                self.calls.pop(call_id, None)
            case ItemArrived(contact_id=contact_id):
                self.items[contact_id] = entry.parent_id
                self.spoken.pop(contact_id, None)
            case ItemClosed(contact_id=contact_id):
                self._end_item(contact_id)
            case VoicemailHeard(recording_id=recording_id) if recording_id in self.items:
                self.heard[recording_id] = None
            case CallbackRequested(call_id=call_id):
                self.callbacks[call_id] = None
            case CallbackClosed(call_id=call_id):
                self.callbacks.pop(call_id, None)
            case _:
                self._take_recorded(entry)

    def subjects(self) -> list[str]:
        """Under which ids the journal has everything about what is open."""
        of_calls = (*self.items.values(), *self.spoken.values(), *self.recordings.values())
        return [each for each in dict.fromkeys((*self.calls, *self.items, *self.callbacks, *of_calls)) if each]

    def _take_recorded(self, entry: object) -> None:
        match entry:
            case VoicemailBegun(recording_id=recording_id, call_id=call_id):
                self.spoken[recording_id] = self.recordings[recording_id] = call_id
            case VoicemailWorked(recording_id=recording_id):
                self.spoken.pop(recording_id, None)
            case RecordingStarted(recording_id=recording_id, call_id=call_id):
                self.recordings[recording_id] = call_id
            case RecordingStored(recording_id=recording_id):
                self.recordings.pop(recording_id, None)
            case RecordingImpaired(recording_id=recording_id, reason=reason) if reason == NOT_STARTED:
                self.recordings.pop(recording_id, None)
            case _:
                pass

    def _end_item(self, contact_id: str) -> None:
        self.items.pop(contact_id, None)
        self.heard.pop(contact_id, None)
        self.ended_items[contact_id] = None
        while len(self.ended_items) > REMEMBERED:
            del self.ended_items[next(iter(self.ended_items))]


TAKEN: frozenset[type] = frozenset(
    {
        CallArrived,
        CallClosed,
        ItemArrived,
        ItemClosed,
        VoicemailBegun,
        VoicemailHeard,
        VoicemailWorked,
        RecordingStarted,
        RecordingStored,
        RecordingImpaired,
        CallbackRequested,
        CallbackClosed,
    }
)
"""The entries that open or close something."""


class NotingJournal:
    """The journal, with what is open kept in step with what is written."""

    def __init__(self, journal: Journal, work: OpenWork) -> None:
        self._append: Callable[..., int] = journal.append
        self._work = work
        self.committed = journal.committed
        self.once_safe = journal.once_safe
        self.once_written = journal.once_written

    def append(self, entry: object, *, at: int, patiently: bool = False) -> int:
        """See ``Journal.append``."""
        seq = self._append(entry, at=at, patiently=patiently)
        if type(entry) in TAKEN:
            self._work.take(entry)
        return seq


def fold(note: WorkNoted | None, entries: Iterable[object]) -> OpenWork:
    """What is open after a note, ``None`` for none, and the entries since."""
    work = OpenWork() if note is None else OpenWork.of(note)
    for entry in entries:
        work.take(entry)
    return work
