"""Card entry in one call: while the customer types card data nobody hears or records it, and keys are only counted."""

from callcenter.calls.book import CallBook
from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.effects import CUSTOMER_LEG
from callcenter.calls.recorder import CallRecorder, SecureAsked
from callcenter.calls.recording_facts import CardEntryBegun, CardEntryEnded
from callcenter.calls.recordings import RecordingRefused
from callcenter.calls.segments import Seat
from callcenter.errors import MediaError


class CardEntry:
    """Owned by the call's runner, whose task is the only one that calls it."""

    def __init__(self, call_id: str, deps: CallDependencies, recorder: CallRecorder, book: CallBook) -> None:
        self._call_id = call_id
        self._deps = deps
        self._recorder = recorder
        self._book = book
        self._is_on = False
        self._keys = 0

    def takes(self, *, secret: bool) -> bool:
        """Whether a key that was pressed is nobody's business. It is counted and forgotten: here is where a payment
        connector would be handed it, and nowhere else."""
        if not secret and not self._is_on:
            return False
        self._keys += 1
        return True

    async def switch(self, asked: SecureAsked, agent: Seat | None) -> None:
        """Nothing is recorded before the keys are masked, and they are unmasked before anything is recorded again.

        ``agent`` is who has the customer.
        """
        try:
            if agent is None or agent.agent_id != asked.agent_id:
                raise RecordingRefused("You do not talk with this customer.")
            if asked.on:
                await self._recorder.secure(True)
            await self._deps.media.secure(self._call_id, CUSTOMER_LEG, on=asked.on)
            if not asked.on:
                await self._recorder.secure(False)
            self._note(agent.agent_id, on=asked.on)
        except (RecordingRefused, MediaError) as error:
            asked.done.set_exception(error)
        else:
            self._book.answer(asked.done)

    def _note(self, agent_id: str, *, on: bool) -> None:
        if on == self._is_on:
            return
        now, keys = self._deps.clock.now(), self._keys
        self._is_on, self._keys = on, 0
        if on:
            self._book.note(CardEntryBegun(self._call_id, now, agent_id))
        else:
            self._book.note(CardEntryEnded(self._call_id, now, agent_id, keys))
