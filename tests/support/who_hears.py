"""Everybody in a call has a tone of his own; here is who hears which of them, and that it is no other."""

from collections.abc import Collection

from callcenter.media.endpoint import RtpEndpoint
from tests.support.floor_people import FRESH_FRAMES
from tests.support.waiting import until

PRESENT, ABSENT = 0.15, 0.02
"""Shares of what is heard: of two tones mixed each has less than half."""
_PATIENCE = 15.0


async def hears_only(sound: RtpEndpoint, *tones: float, of: Collection[float]) -> None:
    """All of these tones, and none of the others ``of`` the call, are in sound that comes after this moment."""

    def is_so() -> bool:
        return all(sound.heard_tone(each) > PRESENT for each in tones) and all(
            sound.heard_tone(each) < ABSENT for each in of if each not in tones
        )

    await sound.wait_frames(FRESH_FRAMES, _PATIENCE)
    await until(f"only {tones} is heard", is_so)
    for _ in range(3):  # and it stays so
        await sound.wait_frames(FRESH_FRAMES, _PATIENCE)
        strangers = {each: sound.heard_tone(each) for each in of if each not in tones}
        assert all(share < ABSENT for share in strangers.values()), strangers
    await until(f"only {tones} is still heard", is_so)


async def falls_silent(sound: RtpEndpoint, *, meanwhile: RtpEndpoint) -> None:
    """Nothing more comes for half a second of what somebody else hears; what was on its way may still come."""
    before = -1

    async def is_silent() -> bool:
        nonlocal before
        before = sound.counters.packets_received
        await meanwhile.wait_frames(FRESH_FRAMES, _PATIENCE)
        return sound.counters.packets_received == before

    await until("nothing more is heard", is_silent)
