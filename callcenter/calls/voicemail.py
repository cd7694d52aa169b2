"""Messages that one call's customer leaves: one recording each, of the customer's leg alone."""

from typing import Protocol

import structlog

from callcenter.calls.audio import MESSAGE_TONE
from callcenter.calls.effects import CUSTOMER_LEG
from callcenter.calls.recording_facts import RecordingImpaired
from callcenter.calls.surroundings import RecordingSurroundings
from callcenter.calls.voicemail_facts import VoicemailBegun, VoicemailWorked
from callcenter.errors import MediaError
from callcenter.ports import RecordingAction

NOT_STARTED = "not_started"
"""Why a message is impaired that could not be recorded; who called is known all the same."""
NOBODY = "system"
"""Who dealt with a message that nothing was said in."""

log = structlog.get_logger(__name__)

RETENTION = "voicemail"
"""The class of ``[recordings.keep_days]`` that messages belong to."""


class VoicemailSurroundings(RecordingSurroundings, Protocol):
    """What is needed from outside; ``calls.dependencies.CallDependencies`` has it."""

    @property
    def beep(self) -> str: ...  # noqa: D102


class CallVoicemail:
    """Owned by the call's runner, whose task is the only one that calls it."""

    def __init__(self, call_id: str, deps: VoicemailSurroundings) -> None:
        self._call_id = call_id
        self._deps = deps
        self._count = 0
        self._open: str | None = None
        self._box = ""

    async def begin(self, box: str, *, caller: str, caller_name: str, language: str) -> None:
        """Record from here on, with a tone that says so; who speaks into the tone loses nothing. What media refuses
        leaves an empty message, which still says who called."""
        self._count += 1
        recording_id, now = f"{self._call_id}-v{self._count}", self._deps.clock.now()
        fact = VoicemailBegun(self._call_id, now, recording_id, box, caller, caller_name, language)
        await self._deps.journal.committed(self._deps.journal.append(fact, at=now))
        self._deps.bus.publish(fact, now)
        try:
            await self._deps.media.record(
                self._call_id, recording_id, RecordingAction.START, left=CUSTOMER_LEG, retention=RETENTION
            )
            self._open, self._box = recording_id, box
            if self._deps.beep:
                tone = f"{MESSAGE_TONE}-{self._count}"
                await self._deps.media.play(self._call_id, CUSTOMER_LEG, tone, [self._deps.beep])
        except MediaError as error:
            log.warning("message not recorded", call_id=self._call_id, error=str(error))
            failed = RecordingImpaired(self._call_id, self._deps.clock.now(), recording_id, NOT_STARTED)
            await self._deps.journal.committed(self._deps.journal.append(failed, at=failed.at))
            self._deps.bus.publish(failed, failed.at)

    async def discard(self) -> None:
        """Nothing was said: the message is nobody's work. Harmless when there is none."""
        if self._open is None:
            return
        fact = VoicemailWorked(self._open, self._deps.clock.now(), NOBODY, self._box)
        await self._deps.journal.committed(self._deps.journal.append(fact, at=fact.at))
        self._deps.bus.publish(fact, fact.at)

    async def end(self) -> None:
        """The message is over; harmless when there is none. The end of the call ends it, too."""
        recording_id, self._open = self._open, None
        if recording_id is None:
            return
        try:
            await self._deps.media.record(self._call_id, recording_id, RecordingAction.STOP)
        except MediaError as error:
            log.warning("message not ended", call_id=self._call_id, error=str(error))
