"""What the exchange and the process that serves browsers say to each other: typed msgpack frames.

Orders name what shall be, so they may be given again: to a process that was started anew, or to one that has done
it already. Frames are those of ``callcenter.media.protocol``.
"""

import msgspec


class Greet(msgspec.Struct, frozen=True, tag="greet"):
    """Exchange: opens a control connection. Legs of older epochs are dropped."""

    epoch: int


class OpenWay(msgspec.Struct, frozen=True, tag="open"):
    """Exchange: make a way for a browser to this leg, and the leg if it is not there. Answered by ``WayOpened``.

    ``way_id`` names the browser's page. The same one again asks for an ICE restart: new credentials, the same keys.
    """

    request: int
    leg_id: str
    way_id: str
    media: tuple[str, int]
    """The plane's RTP socket of this leg."""
    inner_port: int = 0
    """The port our inner socket had before, so that the plane need not learn another; 0 for any."""


class DescribeBrowser(msgspec.Struct, frozen=True, tag="describe"):
    """Exchange: what the browser answered. Nothing is answered; ``BrowserConnected`` follows once audio may flow."""

    leg_id: str
    way_id: str
    ufrag: str
    fingerprint: str
    payload_type: int


class MoveLeg(msgspec.Struct, frozen=True, tag="move"):
    """Exchange: the plane's RTP socket of this leg is another one now."""

    leg_id: str
    media: tuple[str, int]


class DropLeg(msgspec.Struct, frozen=True, tag="drop"):
    """Exchange: close a leg; harmless when it is gone."""

    leg_id: str


class AskWays(msgspec.Struct, frozen=True, tag="ask"):
    """Exchange: how many, how busy? Answered by ``WaysStatus``."""

    request: int


WayOrder = Greet | OpenWay | DescribeBrowser | MoveLeg | DropLeg | AskWays


class Greeted(msgspec.Struct, frozen=True, tag="greeted"):
    """Process: the answer to ``Greet``, with our certificate and where browsers reach us."""

    fingerprint: str
    addresses: tuple[tuple[str, int], ...]
    inner_host: str
    legs: tuple[str, ...]


class WayOpened(msgspec.Struct, frozen=True, tag="opened"):
    """Process: the way is open; ``error`` says why not."""

    request: int
    ufrag: str = ""
    password: str = ""
    inner_port: int = 0
    error: str = ""


class BrowserConnected(msgspec.Struct, frozen=True, tag="connected"):
    """Process: a browser's handshake is over and its certificate is the announced one."""

    leg_id: str
    way_id: str


class BrowserSilent(msgspec.Struct, frozen=True, tag="silent"):
    """Process: nothing comes from the browser any more; the other parties hear comfort tone."""

    leg_id: str


class BrowserHeard(msgspec.Struct, frozen=True, tag="heard"):
    """Process: audio comes from the browser again, after ``gap_ms`` without any; the others heard comfort tone."""

    leg_id: str
    gap_ms: int = 0


class WaysStatus(msgspec.Struct, frozen=True, tag="status"):
    """Process: figures. ``busy`` is the share of a core used since the last question."""

    request: int
    legs: int
    connected: int
    packets_in: int
    packets_out: int
    refused: int
    """Datagrams of strangers, and packets that failed their authentication."""
    busy: float


WayReply = Greeted | WayOpened | BrowserConnected | BrowserSilent | BrowserHeard | WaysStatus
