"""What became of each recording: the media plane's news of them, journaled and told. One task, one mailbox.

A recording is closed after its call, sometimes by another process the next day, so no call can keep this book.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from pathlib import Path

import structlog

from callcenter.bus import Bus
from callcenter.calls.recording_facts import RecordingImpaired, RecordingStored
from callcenter.calls.voicemail_facts import VoicemailWorked
from callcenter.errors import MediaError
from callcenter.media.recordings import Sidecar, catalogue, read_sidecar
from callcenter.media.recordings.naming import sidecar_of
from callcenter.media.recordings.sidecar import milliseconds
from callcenter.ports import Clock, Journal, RecordingDegraded, RecordingEvent, RecordingFinished

log = structlog.get_logger(__name__)

MAILBOX_SIZE = 10_000
REMEMBERED = 10_000


class RecordingLedger:
    """Journals what is told of recordings. ``root`` is their folder, ``None`` when nothing is recorded."""

    def __init__(self, *, clock: Clock, journal: Journal, bus: Bus, root: Path | None) -> None:
        self._clock = clock
        self._journal = journal
        self._bus = bus
        self._root = root
        self._stored: OrderedDict[str, None] = OrderedDict()
        """Recordings whose end is journaled: media and disk may both tell of one."""
        self._mailbox: asyncio.Queue[RecordingEvent | VoicemailWorked] = asyncio.Queue(MAILBOX_SIZE)

    async def find_missing(self, recording_ids: Collection[str]) -> None:
        """Journal what lies on disk of these recordings, whose end nobody heard: they were closed while no exchange
        was there to be told. What is told by media meanwhile is not told again."""
        if self._root is None or not recording_ids:
            return
        wanted = frozenset(recording_ids)
        for event in await asyncio.to_thread(_on_disk, self._root, wanted):
            self.tell(event)

    def tell(self, event: RecordingEvent | VoicemailWorked) -> None:
        """Take news of the media plane, for its recording sink, or what follows from them."""
        try:
            self._mailbox.put_nowait(event)
        except asyncio.QueueFull:  # what is lost here is found again on the disk
            log.warning("recording news dropped", recording_id=event.recording_id)

    async def run(self) -> None:
        """Serve the mailbox until cancelled. Raises ``JournalError``, after which the process must end."""
        while True:
            await self._take(await self._mailbox.get())

    async def _take(self, event: RecordingEvent | VoicemailWorked) -> None:
        fact: RecordingImpaired | RecordingStored | VoicemailWorked
        match event:
            case VoicemailWorked():
                fact = event
            case RecordingDegraded():
                log.warning("recording impaired", recording_id=event.recording_id, reason=event.reason)
                fact = RecordingImpaired(event.session_id, self._clock.now(), event.recording_id, event.reason)
            case RecordingFinished() if event.recording_id in self._stored and event.path:
                return
            case RecordingFinished():
                self._remember(event.recording_id)
                pauses = await asyncio.to_thread(_pauses, event.path)
                fact = RecordingStored(
                    event.session_id,
                    self._clock.now(),
                    event.recording_id,
                    self._relative(event.path),
                    event.sha256,
                    event.duration_ms,
                    event.truncated,
                    pauses,
                )
        await self._journal.committed(self._journal.append(fact, at=fact.at))
        self._bus.publish(fact, fact.at)

    def _remember(self, recording_id: str) -> None:
        self._stored[recording_id] = None
        if len(self._stored) > REMEMBERED:
            self._stored.popitem(last=False)

    def _relative(self, path: str) -> str:
        """The path below the folder of the recordings; a file elsewhere is nobody's to be played."""
        if not path or self._root is None:
            return ""
        try:
            return str(Path(path).relative_to(self._root))
        except ValueError:
            log.warning("recording outside of its folder")
            return ""


def _on_disk(root: Path, wanted: frozenset[str]) -> list[RecordingFinished]:
    """What the sidecars tell of these recordings; blocks on the disk."""
    found = []
    for each in catalogue(root):
        if each.recording_id in wanted:
            finished = read_sidecar(each.sidecar).finished
            sha256 = "" if finished is None else finished.sha256
            found.append(
                RecordingFinished(
                    each.session_id, each.recording_id, str(each.audio), sha256, each.duration_ms, each.truncated
                )
            )
    return found


def _pauses(path: str) -> tuple[tuple[int, int], ...]:
    """The paused stretches as the sidecar tells them, in milliseconds; blocks on the disk."""
    if not path:
        return ()
    try:
        sidecar = read_sidecar(sidecar_of(Path(path)))
    except (OSError, MediaError) as error:
        log.warning("recording sidecar not read", error=type(error).__name__)
        return ()
    return tuple(pauses_of(sidecar))


def pauses_of(sidecar: Sidecar) -> Sequence[tuple[int, int]]:
    """From and to of each pause, in milliseconds from the start; one that never ended lasts to the end."""
    return [
        (milliseconds(start), sidecar.duration_ms if end is None else milliseconds(end))
        for start, end in sidecar.pauses
    ]
