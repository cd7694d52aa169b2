"""The media of one call: which leg is which in the session, who hears whom, who hears music.

The machine says how its parties are joined; what that means for the gain matrix says ``calls.participants``. Only what
changed is ordered.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog

from callcenter.calls.effects import CUSTOMER_LEG
from callcenter.calls.participants import Conversation, Participant, Role, Supervision, Ways, music_for, routes_for
from callcenter.chance import random_hex
from callcenter.errors import MediaError
from callcenter.ports import EncryptionPolicy, LegProfile, LegStatistics, MediaPlane, Route

log = structlog.get_logger(__name__)

GREETING_PLAY = "callback-greeting"
"""The play id of what a customer who is called back hears first."""
ANNOUNCEMENT_PLAY = "queue-announcement"
"""What the play ids of announcements to waiting callers begin with."""
CARD_PLAY = "card-entry"
"""What the play ids begin with of what a customer hears who is to type card data."""
MESSAGE_TONE = "message-tone"
"""What the play ids of the tones begin with that say: speak now."""
SLOT_PLAY = "slot"
"""What the play ids begin with that say to a phone where it parked somebody; the leg's name follows."""
RINGING_PLAY = "ringing"
"""What the play ids of ringing tones begin with."""
MUSIC_PLAY = "music"
"""The play id of the customer's music; that of another leg has the leg's name after it."""


@dataclass(slots=True)
class CallAudio:
    """Owned by the call's runner, whose task is the only one that calls it. Failures raise ``MediaError``."""

    session_id: str
    media: MediaPlane
    music: str
    """Path of the WAV file that waiting parties hear."""
    ringing: str = ""
    """Path of the WAV file of one ringing tone with its pause; without one nothing is heard of it."""
    measured: Callable[[str, LegStatistics], None] = lambda _leg, _figures: None
    """Told what a media leg carried when it is closed."""
    legs: dict[str, str] = field(default_factory=dict)
    """Signalling leg id to media leg id, of every leg that has media here."""
    mode: Conversation = Conversation.WAITING
    supervisors: dict[str, Supervision] = field(default_factory=dict)
    """By signalling leg id: who listens, and how."""
    heard: dict[str, str] = field(default_factory=dict)
    """By the leg that waits for it: the leg that sounds before it answers."""
    rung: set[str] = field(default_factory=set)
    """Legs that hear a ringing tone."""
    gone: list[str] = field(default_factory=list)
    """Media legs that nobody hears any more, until the next ``sweep``."""
    _tones: frozenset[str] = frozenset()
    _parties: tuple[tuple[str, Role], ...] = ()
    _ways: Ways = ()
    _music: frozenset[str] = frozenset()

    def name(self, leg_id: str, *, customer: bool = False) -> str:
        """The media leg of a signalling leg, named when it is not known yet."""
        named = CUSTOMER_LEG if customer else f"agent-{random_hex(4)}"
        return self.legs.setdefault(leg_id, named)

    async def offer(self, leg_id: str, *, customer: bool = False, encryption: EncryptionPolicy | None = None) -> str:
        """Our offer for a leg, which is added when it is new; ``encryption`` as in ``MediaPlane.make_offer``."""
        known = leg_id in self.legs
        media_leg = self.name(leg_id, customer=customer)
        try:
            return await self.media.make_offer(self.session_id, media_leg, encryption=encryption)
        except BaseException:
            if not known:
                del self.legs[leg_id]
            raise

    async def meet(self, leg_id: str, sdp: str, profile: LegProfile, *, customer: bool = False) -> str:
        """Our answer to a leg's offer; the leg is added when it is new."""
        known = leg_id in self.legs
        media_leg = self.name(leg_id, customer=customer)
        try:
            return await self.media.answer_offer(self.session_id, media_leg, sdp, profile)
        except BaseException:
            if not known:
                del self.legs[leg_id]
            raise

    async def accept(self, leg_id: str, sdp: str, profile: LegProfile) -> None:
        """Take a leg's answer to our offer."""
        media_leg = self.legs.get(leg_id)
        if media_leg is not None:
            await self.media.accept_answer(self.session_id, media_leg, sdp, profile)

    async def converse(self, mode: Conversation, parties: Iterable[tuple[str, Role]]) -> None:
        """Join these parties, named by signalling leg ids, as the mode says; nobody waits for an answer any more."""
        self.mode, self._parties = mode, tuple(parties)
        self.heard.clear()
        self.rung.clear()
        await self._apply()

    async def let_hear(self, leg_id: str, source_leg_id: str) -> None:
        """Let a leg hear another one that did not answer yet, and not the other way around."""
        self.heard[leg_id] = source_leg_id
        self.rung.discard(leg_id)
        await self._apply()

    async def say_slot(self, leg_id: str, paths: list[str]) -> None:
        """Say something to a leg; its end is told as ``PlayFinished`` of ``SLOT_PLAY`` and the leg."""
        await self.media.play(self.session_id, self.legs.get(leg_id, leg_id), f"{SLOT_PLAY}-{leg_id}", paths)

    async def ring(self, leg_id: str, *, on: bool) -> None:
        """Let a leg hear that it rings somewhere, or no more."""
        (self.rung.add if on else self.rung.discard)(leg_id)
        await self._apply()

    async def supervise(self, leg_id: str, how: Supervision | None) -> None:
        """Let the supervisor on this leg take part so, or no more."""
        if how is None:
            self.supervisors.pop(leg_id, None)
        else:
            self.supervisors[leg_id] = how
        await self._apply()

    def forget(self, leg_id: str) -> str | None:
        """The leg is over: its media goes with the next ``sweep``. Returns what it was called."""
        self.supervisors.pop(leg_id, None)
        self.rung.discard(leg_id)
        self.heard = {one: source for one, source in self.heard.items() if leg_id not in (one, source)}
        media_leg = self.legs.pop(leg_id, None)
        if media_leg is not None:
            self._tones -= {media_leg}
            self._ways = tuple(way for way in self._ways if media_leg not in way)
            self._music -= {media_leg}
            self.gone.append(media_leg)
        return media_leg

    async def sweep(self) -> None:
        """Close the media of the legs that are over; needless when the whole session is closed."""
        gone, self.gone = self.gone, []
        for media_leg in gone:
            try:
                figures = await self.media.remove_leg(self.session_id, media_leg)
            except MediaError as error:
                log.warning("media of a leg not closed", call_id=self.session_id, error=str(error))
                continue
            if figures is not None:
                self.measured(media_leg, figures)

    def participants(self) -> tuple[Participant, ...]:
        """Whoever is there with media, supervisors last."""
        names = {CUSTOMER_LEG: CUSTOMER_LEG, **self.legs}
        there = [Participant(names[leg_id], role) for leg_id, role in self._parties if leg_id in names]
        there += [
            Participant(self.legs[leg_id], Role.SUPERVISOR, how)
            for leg_id, how in self.supervisors.items()
            if leg_id in self.legs
        ]
        return tuple(there)

    async def _apply(self) -> None:
        participants = self.participants()
        music, ways = music_for(participants, self.mode), routes_for(participants, self.mode)
        tones: frozenset[str] = frozenset()
        if self.heard or self.rung:
            names = {CUSTOMER_LEG: CUSTOMER_LEG, **self.legs}
            early = {names[one]: names[other] for one, other in self.heard.items() if one in names and other in names}
            ways += tuple((source, listener) for listener, source in early.items())
            music -= early.keys()
            tones = frozenset(names[one] for one in self.rung if one in names and self.ringing) - early.keys()
        for media_leg in sorted(self._music - music):
            await self.media.stop_play(self.session_id, _play_of(media_leg))
        for media_leg in sorted(self._tones - tones):
            await self.media.stop_play(self.session_id, f"{RINGING_PLAY}-{media_leg}")
        if ways != self._ways:
            await self.media.route(self.session_id, tuple(Route(source, target) for source, target in ways))
        for media_leg in sorted(music - self._music):
            await self.media.play(self.session_id, media_leg, _play_of(media_leg), [self.music], loop=True)
        for media_leg in sorted(tones - self._tones):
            play_id = f"{RINGING_PLAY}-{media_leg}"
            await self.media.play(self.session_id, media_leg, play_id, [self.ringing], loop=True)
        self._ways, self._music, self._tones = ways, music, tones


def _play_of(media_leg: str) -> str:
    return MUSIC_PLAY if media_leg == CUSTOMER_LEG else f"{MUSIC_PLAY}-{media_leg}"


def is_beside_the_flow(play_id: str) -> bool:
    """Whether a play is none of the flow's business: music, a tone, an announcement, or what asks for card data."""
    return is_music(play_id) or play_id.startswith((ANNOUNCEMENT_PLAY, MESSAGE_TONE, RINGING_PLAY, CARD_PLAY))


def slot_leg(play_id: str) -> str:
    """The leg that was told where it parked somebody; empty for any other play."""
    return play_id.removeprefix(f"{SLOT_PLAY}-") if play_id.startswith(f"{SLOT_PLAY}-") else ""


def is_music(play_id: str) -> bool:
    """Whether a play is music of ours."""
    return play_id == MUSIC_PLAY or play_id.startswith(f"{MUSIC_PLAY}-")
