"""The browser phone's part of the wire: what a page's phone says, and what the exchange tells it.

The console only carries these frames: from the page that has the phone to the exchange, and back to that page alone. A
call's audio does not come this way; it goes on while the socket is away.
"""

from typing import Protocol

import msgspec


class SoftphoneReady(msgspec.Struct, frozen=True, tag="softphone.ready"):
    """Browser: this page's phone can take calls. Said after each ``hello``; the newest page of an agent has the phone.

    ``phone_id`` is random and lives as long as the page: a page that was reloaded says another one, and gets the calls
    that are up offered anew.
    """

    phone_id: str


class SoftphoneGone(msgspec.Struct, frozen=True, tag="softphone.gone"):
    """Browser: this page's phone takes no more calls."""


class SoftphoneAnswer(msgspec.Struct, frozen=True, tag="softphone.answer"):
    """Browser: the answer to a ``softphone.offer``: the agent accepted, or the page has connected again."""

    leg_id: str
    sdp: str


class SoftphoneReconnect(msgspec.Struct, frozen=True, tag="softphone.reconnect"):
    """Browser: the way to the exchange is disturbed, offer it again. ``fresh``: this page had to begin from nothing."""

    leg_id: str
    fresh: bool = False


FromSoftphone = SoftphoneReady | SoftphoneGone | SoftphoneAnswer | SoftphoneReconnect


class IceServer(msgspec.Struct, frozen=True):
    """A STUN or TURN server, as browsers take it (RTCIceServer)."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""


class SoftphoneWelcome(msgspec.Struct, frozen=True, tag="softphone.welcome"):
    """Server: the phone is known; these servers help to reach us."""

    ice_servers: tuple[IceServer, ...]


class SoftphoneOffer(msgspec.Struct, frozen=True, tag="softphone.offer"):
    """Server: connect by this description. ``purpose`` is ``ring`` (once the agent accepts), ``attach`` (at once: the
    call is up, begin anew) or ``restart`` (at once: the same connection by another path)."""

    leg_id: str
    purpose: str
    sdp: str


class SoftphoneEnded(msgspec.Struct, frozen=True, tag="softphone.ended"):
    """Server: this leg is over, also when it only rang."""

    leg_id: str


class SoftphoneReplaced(msgspec.Struct, frozen=True, tag="softphone.replaced"):
    """Server: another page of the same agent has the phone now."""


ToSoftphone = SoftphoneWelcome | SoftphoneOffer | SoftphoneEnded | SoftphoneReplaced


class SoftphoneLine(Protocol):
    """Where pages' phones are heard; what is told back comes by the hub's ``tell_softphone``."""

    def hear(self, agent_id: str, phone_id: str, frame: FromSoftphone) -> None:
        """A page's phone said this. Lost while the exchange is away; pages are heard anew when it is back."""
        ...
