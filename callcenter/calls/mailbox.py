"""An agent's phone that calls its voicemail box: hears what waits, again, and deletes it; one task for each call.

Nobody else is in such a call, so it is none of the call machine's: it has no contact and no record. What it hears and
deletes is journaled by the box (``MessageShelf``) before it is played, or said to be deleted.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import structlog

from acd.errors import AcdError
from acd.events import AgentEngaged, ContactFinished
from acd.ids import AgentId, ContactId
from callcenter.calls.legs import EndCause, LegDigit, LegEvent, LegOffered
from callcenter.calls.lone_leg import PHONE, LoneLeg
from callcenter.calls.spoken_call import SpokenCall
from callcenter.errors import JournalError, MediaError
from callcenter.ports import (
    DigitPressed,
    MediaEvent,
    MediaPlane,
    PlayFinished,
    Prompts,
    Signalling,
)
from callcenter.routing import RoutingInbox
from ivr.effects import PromptText

log = structlog.get_logger(__name__)

AGAIN, DELETE = "1", "3"
"""Keys; any other goes on to the next message and leaves this one."""
PATIENCE_SECONDS = 8.0
"""Without a key after a message the next one follows."""
TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "mailbox.none": "You have no messages.",
        "mailbox.next": "Next message.",
        "mailbox.menu": "To hear it again, press 1. For the next message, press 2. To delete it, press 3.",
        "mailbox.deleted": "Deleted.",
        "mailbox.end": "No more messages. Goodbye.",
    },
    "zh": {
        "mailbox.none": "您没有留言。",
        "mailbox.next": "下一条留言。",
        "mailbox.menu": "重听请按 1，下一条请按 2，删除请按 3。",
        "mailbox.deleted": "已删除。",
        "mailbox.end": "没有更多留言，再见。",
    },
}
"""What is said, by language. An operator's recording of the same name goes first."""


def mailbox_prompts() -> list[PromptText]:
    """Everything that is said, to be rendered beforehand."""
    return [PromptText(name, language, text) for language, texts in TEXTS.items() for name, text in texts.items()]


def spoken(name: str, language: str) -> PromptText:
    """One of the texts in a language, in English where there is none."""
    language = language if language in TEXTS else "en"
    return PromptText(name, language, TEXTS[language][name])


class MessageShelf(Protocol):
    """The boxes, for who listens by phone."""

    def waiting_for(self, agent_id: str) -> tuple[str, ...]:
        """The recordings that wait for an agent and can be heard, the oldest first."""
        ...

    async def audio(self, agent_id: str, recording_id: str) -> str:
        """A WAV file to be played, there until ``put_back``; that the agent hears it is journaled. Raises
        ``MediaError`` when it cannot be read."""
        ...

    async def put_back(self, path: str) -> None:
        """The file is not needed any more."""
        ...

    async def delete(self, agent_id: str, recording_id: str) -> None:
        """The agent dealt with it; harmless when somebody did before."""
        ...


@dataclass(slots=True)
class MailboxCall:
    """One call of an agent's phone to the box. ``shelf`` owns the messages."""

    offered: LegOffered
    agent_id: str
    signalling: Signalling
    media: MediaPlane
    prompts: Prompts
    shelf: MessageShelf
    routing: RoutingInbox
    language: str = "en"
    inbox: "asyncio.Queue[LegEvent | MediaEvent]" = field(default_factory=lambda: asyncio.Queue(100))
    _plays: int = 0

    @property
    def session_id(self) -> str:
        """The media session, and what routing knows the call by."""
        return f"mailbox-{self.offered.leg_id}"

    async def run(self) -> None:
        """Live the call from its arrival to its end. Raises ``JournalError``."""
        cause = EndCause.NORMAL
        leg = LoneLeg(self.offered, self.session_id, self.signalling, self.media)
        is_engaged = await self._engage()
        try:
            await leg.answer()
            await self._go_through(leg)
        except MediaError as error:
            log.warning("mailbox call failed", agent_id=self.agent_id, error=str(error))
            cause = EndCause.MEDIA_LOST
        finally:
            self.signalling.end(self.offered.leg_id, cause)
            await leg.close()
            if is_engaged:
                self.routing.post(ContactFinished(ContactId(self.session_id)))

    async def _engage(self) -> bool:
        """Tell routing, so that nobody rings meanwhile; who is offline, rung or in a call may listen all the same."""
        try:
            await self.routing.request(AgentEngaged(AgentId(self.agent_id), ContactId(self.session_id)))
        except AcdError:
            return False
        return True

    async def _go_through(self, leg: LoneLeg) -> None:
        said: list[str] = []
        waiting = self.shelf.waiting_for(self.agent_id)
        for number, recording_id in enumerate(waiting):
            key = await self._message(leg, recording_id, [*said, *(["mailbox.next"] if number else [])])
            said = []
            if key == DELETE and not leg.is_over:
                await self.shelf.delete(self.agent_id, recording_id)
                said = ["mailbox.deleted"]
            if leg.is_over:
                return
        await self._say(leg, [*said, "mailbox.end" if waiting else "mailbox.none"], None, patience=0)

    async def _message(self, leg: LoneLeg, recording_id: str, before: list[str]) -> str:
        """Play one, as often as wanted; the key that ended it, empty for none."""
        path = await self.shelf.audio(self.agent_id, recording_id)
        try:
            key = await self._say(leg, before, path, patience=PATIENCE_SECONDS)
            while key == AGAIN:
                key = await self._say(leg, [], path, patience=PATIENCE_SECONDS)
            return key
        finally:
            await self.shelf.put_back(path)

    async def _say(self, leg: LoneLeg, names: list[str], path: str | None, *, patience: float) -> str:
        paths = [await self.prompts.path(spoken(name, self.language)) for name in names]
        if path is not None:
            paths += [path, await self.prompts.path(spoken("mailbox.menu", self.language))]
        self._plays += 1
        play_id = f"mailbox-{self._plays}"
        await self.media.play(self.session_id, PHONE, play_id, paths, barge_in=path is not None)
        return await self._key(leg, play_id, patience)

    async def _key(self, leg: LoneLeg, play_id: str, patience: float) -> str:
        """Wait for a key, or for the end of the play and some more."""
        deadline: float | None = None
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    event = await self.inbox.get()
            except TimeoutError:
                return ""
            match event:
                case DigitPressed(digit=digit) | LegDigit(digit=digit) if patience:
                    await self.media.stop_play(self.session_id, play_id)
                    return digit
                case PlayFinished(play_id=over) if over == play_id:
                    deadline = asyncio.get_running_loop().time() + patience
                case _:
                    await leg.hear(event)
                    if leg.is_over:
                        return ""


class MailboxCalls:
    """Owns the calls of phones to the house itself: to their boxes, and those that are answered by a sentence.

    ``on_fatal`` hears of a journal that cannot be written.
    """

    def __init__(
        self,
        signalling: Signalling,
        media: MediaPlane,
        prompts: Prompts,
        shelf: MessageShelf,
        routing: RoutingInbox,
        on_fatal: Callable[[BaseException], None],
        *,
        languages: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``languages`` are the agents'; English for those that are not in it."""
        self._routing = routing
        self._languages = languages
        self._signalling = signalling
        self._media = media
        self._prompts = prompts
        self._shelf = shelf
        self._on_fatal = on_fatal
        self._calls: dict[str, MailboxCall | SpokenCall] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def in_progress(self) -> int:
        """How many phones are at their boxes."""
        return len(self._tasks)

    def open(self, offered: LegOffered, agent_id: str) -> None:
        """A phone calls its box."""
        language = self._languages.get(agent_id, "en")
        surroundings = (self._signalling, self._media, self._prompts, self._shelf, self._routing)
        self._begin(MailboxCall(offered, agent_id, *surroundings, language))

    def say(self, offered: LegOffered, agent_id: str, said: list[PromptText]) -> None:
        """A phone called for something that is done, and hears so."""
        self._begin(SpokenCall(offered, agent_id, said, self._signalling, self._media, self._prompts))

    def _begin(self, call: MailboxCall | SpokenCall) -> None:
        task = asyncio.create_task(call.run(), name=call.session_id)
        for name in (call.offered.leg_id, call.session_id):
            self._calls[name] = call
        self._tasks[call.session_id] = task
        task.add_done_callback(lambda done: self._close(call, done))

    def tell(self, name: str, event: LegEvent | MediaEvent) -> bool:
        """Bring news of a leg or a media session; ``False`` when it is none of these calls'."""
        call = self._calls.get(name)
        if call is None:
            return False
        if not call.inbox.full():  # a flood of keys on one call
            call.inbox.put_nowait(event)
        return True

    async def close(self) -> None:
        """End all calls."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _close(self, call: MailboxCall | SpokenCall, task: asyncio.Task[None]) -> None:
        for name in (call.offered.leg_id, call.session_id):
            self._calls.pop(name, None)
        self._tasks.pop(call.session_id, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, JournalError):
            self._on_fatal(error)
        elif error is not None:
            log.error("mailbox call lost", call_id=call.session_id, exc_info=error)
