"""The keeper's ledger of recordings: what is being recorded, by which worker, and what still has to be closed.

A recording is in the ledger from its start until the recorder has told that it is on disk, so that a new recorder can
be told everything that matters.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from callcenter.media.mediad.recorder_protocol import CloseRecording, OpenRecording, RecorderOrder, Written
from callcenter.media.protocol import RecordingDone, RecordingSpec, RecordingSuffers, TapOrder
from callcenter.media.recordings.naming import new_stem
from callcenter.media.recordings.sidecar import Opened, milliseconds


@dataclass(slots=True)
class _Entry:
    """One recording."""

    order: OpenRecording
    tap: TapOrder
    paused: bool
    feeder: object | None = None
    """The worker that speaks for it."""
    is_ending: bool = False
    told: set[str] = field(default_factory=set)
    """Damages the exchange knows of."""


class RecordingLedger:
    """Instants ``now`` are monotonic, ``wall`` is the time of day; both in milliseconds."""

    def __init__(self, send: Callable[[RecorderOrder], None]) -> None:
        self._send = send
        self._entries: dict[int, _Entry] = {}
        self._live: dict[str, dict[str, int]] = {}
        """By session and recording id: those that are not ending."""
        self._last_number = 0

    def follow(
        self,
        session_id: str,
        recordings: Iterable[RecordingSpec],
        feeder: object | None,
        *,
        epoch: int,
        now: int,
        wall: int,
    ) -> dict[str, TapOrder]:
        """Take over what a session's description says; the orders for its worker, if it has one."""
        live = self._live.setdefault(session_id, {})
        wanted = {spec.recording_id: spec for spec in recordings}
        for recording_id in [*live]:
            if recording_id not in wanted:
                self._entries[live[recording_id]].feeder = feeder
                self._end(live.pop(recording_id))
        taps = {}
        for recording_id, spec in wanted.items():
            if recording_id not in live:
                live[recording_id] = self._start(session_id, spec, epoch=epoch, now=now, wall=wall)
            entry = self._entries[live[recording_id]]
            entry.feeder = feeder
            if entry.paused != spec.paused:
                entry.paused = spec.paused
                entry.tap = msgspec.structs.replace(entry.tap, switched_at=now)
            taps[recording_id] = entry.tap
        if not live:
            del self._live[session_id]
        return taps

    def end_session(self, session_id: str) -> None:
        """A session is closed. Its worker ends its recordings; where it has none they are closed as they are."""
        for number in self._live.pop(session_id, {}).values():
            self._end(number)

    def lose_feeder(self, feeder: object) -> None:
        """A worker died: what it was to end is closed as it is, the rest waits for its successor."""
        for entry in [*self._entries.values()]:
            if entry.feeder is feeder:
                entry.feeder = None
                entry.tap = msgspec.structs.replace(entry.tap, is_taken_over=True)
                if entry.is_ending:
                    self._send(CloseRecording(entry.order.number))

    def under_way(self) -> tuple[OpenRecording, ...]:
        """Everything a new recorder has to go on with or to close."""
        return tuple(
            OpenRecording(entry.order.number, entry.order.stem, entry.order.opened, entry.is_ending)
            for entry in self._entries.values()
        )

    def finish(self, written: Written) -> RecordingDone:
        """A recording is on disk; what the exchange is to be told."""
        entry = self._entries.pop(written.number, None)
        if entry is not None:
            live = self._live.get(written.session_id, {})
            if live.get(written.recording_id) == written.number:
                del live[written.recording_id]
        return RecordingDone(
            written.session_id,
            written.recording_id,
            written.path,
            written.sha256,
            milliseconds(written.samples),
            written.truncated,
        )

    def suffer(self, number: int, reason: str) -> RecordingSuffers | None:
        """A recording loses audio; what the exchange is to be told, if it does not know yet."""
        entry = self._entries.get(number)
        if entry is None or reason in entry.told:
            return None
        entry.told.add(reason)
        return RecordingSuffers(entry.order.opened.session_id, entry.order.opened.recording_id, reason)

    def _start(self, session_id: str, spec: RecordingSpec, *, epoch: int, now: int, wall: int) -> int:
        self._last_number += 1
        number = self._last_number
        opened = Opened(spec.recording_id, session_id, spec.left, spec.right, wall, spec.law, spec.retention, epoch)
        entry = _Entry(OpenRecording(number, new_stem(wall), opened), TapOrder(number, now, now), spec.paused)
        self._entries[number] = entry
        self._send(entry.order)
        return number

    def _end(self, number: int) -> None:
        entry = self._entries[number]
        entry.is_ending = True
        if entry.feeder is None:
            self._send(CloseRecording(number))
