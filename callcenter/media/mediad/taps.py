"""All recordings of a worker: which legs they hear, and when their chunks are due."""

from collections.abc import Mapping

from callcenter.media.mediad.conversation import Conversation
from callcenter.media.mediad.feed import RecorderFeed
from callcenter.media.mediad.tap import Tap
from callcenter.media.protocol import QuietNoticed, SessionSpec, TapOrder

_FORGOTTEN_AFTER = 10_000
"""Milliseconds after which no socket holds anything of a pause any more."""


class Taps:
    """Keeps the taps of conversations as they are ordered and feeds the recorder. ``now`` is monotonic, in ms."""

    def __init__(self, feed: RecorderFeed) -> None:
        self._feed = feed
        self._by_session: dict[str, dict[str, Tap]] = {}

    def follow(
        self, conversation: Conversation, spec: SessionSpec, orders: Mapping[str, TapOrder], *, now: int
    ) -> None:
        """Make the session's recordings what ``spec`` says and connect its legs to them."""
        if not spec.recordings and spec.session_id not in self._by_session:
            return
        taps = self._by_session.setdefault(spec.session_id, {})
        wanted = {recording.recording_id: recording for recording in spec.recordings}
        for recording_id in [*taps]:
            order = orders.get(recording_id)
            if order is None or order.number != taps[recording_id].number:
                self._end(taps.pop(recording_id), now=now)
        for leg in conversation.legs.values():
            leg.taps = []
        for recording_id, recording in wanted.items():
            order = orders[recording_id]
            tap = taps.get(recording_id)
            if tap is None:
                tap = taps[recording_id] = Tap(recording, order, now=now)
                messages = tap.begin(now=now)
            else:
                messages = tap.follow(recording, order)
            for message in messages:
                self._feed.send(message)
            for leg_id, track in ((recording.left, tap.left), (recording.right, tap.right)):
                if leg_id in conversation.legs:
                    conversation.legs[leg_id].taps.append((tap, track))
        if not taps:
            del self._by_session[spec.session_id]

    def must_forget(self, spec: SessionSpec, orders: Mapping[str, TapOrder], *, now: int) -> bool:
        """Whether a pause ends with ``spec``, so that what still waits in the sockets must not be recorded."""
        taps = self._by_session.get(spec.session_id, {})
        for recording in spec.recordings:
            if recording.paused:
                continue
            tap, order = taps.get(recording.recording_id), orders[recording.recording_id]
            if tap is not None and tap.is_paused:
                return True
            if tap is None and order.switched_at != order.origin and now - order.switched_at < _FORGOTTEN_AFTER:
                return True
        return False

    def end_session(self, session_id: str, *, now: int) -> None:
        """End the recordings of a session that is closed."""
        for tap in self._by_session.pop(session_id, {}).values():
            self._end(tap, now=now)

    def tick(self, *, now: int) -> list[QuietNoticed]:
        """Cut the chunks that are due; the messages in which nobody speaks any more."""
        quiet = []
        for session_id, taps in self._by_session.items():
            for tap in taps.values():
                if tap.falls_quiet(now=now):
                    quiet.append(QuietNoticed(session_id, tap.speaker, tap.has_spoken))
                if now >= tap.due:
                    for message in tap.cut(now=now):
                        self._feed.send(message)
        return quiet

    def _end(self, tap: Tap, *, now: int) -> None:
        for message in tap.end(now=now):
            self._feed.send(message)
