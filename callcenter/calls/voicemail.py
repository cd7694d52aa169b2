"""Messages that one call's customer leaves: one recording each, of the customer's leg alone."""

from typing import Protocol

import structlog

from callcenter.bus import Bus
from callcenter.calls.effects import CUSTOMER_LEG
from callcenter.calls.voicemail_facts import VoicemailBegun
from callcenter.errors import MediaError
from callcenter.ports import Clock, Journal, MediaPlane, RecordingAction

log = structlog.get_logger(__name__)

RETENTION = "voicemail"
"""The class of ``[recordings.keep_days]`` that messages belong to."""


class VoicemailSurroundings(Protocol):
    """What is needed from outside; ``calls.runner.CallDependencies`` has it."""

    @property
    def clock(self) -> Clock: ...  # noqa: D102 - named by its type

    @property
    def journal(self) -> Journal: ...  # noqa: D102

    @property
    def bus(self) -> Bus: ...  # noqa: D102

    @property
    def media(self) -> MediaPlane: ...  # noqa: D102


class CallVoicemail:
    """Owned by the call's runner, whose task is the only one that calls it."""

    def __init__(self, call_id: str, deps: VoicemailSurroundings) -> None:
        self._call_id = call_id
        self._deps = deps
        self._count = 0
        self._open: str | None = None

    async def begin(self, box: str, *, caller: str, caller_name: str, language: str) -> None:
        """Record from here on. What media refuses leaves an empty message, which still says who called."""
        self._count += 1
        recording_id, now = f"{self._call_id}-v{self._count}", self._deps.clock.now()
        fact = VoicemailBegun(self._call_id, now, recording_id, box, caller, caller_name, language)
        await self._deps.journal.committed(self._deps.journal.append(fact, at=now))
        self._deps.bus.publish(fact, now)
        try:
            await self._deps.media.record(
                self._call_id, recording_id, RecordingAction.START, left=CUSTOMER_LEG, retention=RETENTION
            )
            self._open = recording_id
        except MediaError as error:
            log.warning("message not recorded", call_id=self._call_id, error=str(error))

    async def end(self) -> None:
        """The message is over; harmless when there is none. The end of the call ends it, too."""
        recording_id, self._open = self._open, None
        if recording_id is None:
            return
        try:
            await self._deps.media.record(self._call_id, recording_id, RecordingAction.STOP)
        except MediaError as error:
            log.warning("message not ended", call_id=self._call_id, error=str(error))
