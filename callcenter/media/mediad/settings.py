"""Settings of the media processes, as the command line gives them."""

from dataclasses import dataclass
from typing import Literal

import msgspec

RelayLoop = Literal["auto", "compiled", "python"]
"""What relays packets in a worker: machine code made by numba (extra ``fast``), Python, or whichever is there."""


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """How one ``mediad`` runs. Durations are in milliseconds."""

    socket_path: str
    """Unix socket on which the exchange gives its orders."""
    host: str = "127.0.0.1"
    """Address the RTP sockets are bound to."""
    advertise: str = ""
    """Address for SDP where it differs from ``host``, such as a public one."""
    port_min: int = 16384
    port_max: int = 32766
    """Both should lie outside ``net.ipv4.ip_local_port_range``, or other programs take ports at random."""
    workers: int = 1
    standby: int = 1
    """Workers started in advance, that take over when one dies."""
    loop: RelayLoop = "auto"
    realtime: bool = True
    """Whether workers ask for real-time scheduling."""
    most_busy: float = 0.65
    """Share of a core above which a worker gets no new session."""
    silence_timeout: int = 30_000
    quarantine: int = 30_000
    """Rest of a port after its release, so that late packets of the old call do not reach a new one."""
    grace: int = 60_000
    """How long sessions live on without a control connection."""
    recordings: str = ""
    """Folder of the recordings; without one nothing can be recorded."""
    recording_key: str = ""
    """Key file outside of that folder (``recordings.keys``); without one recordings are plain WAV files."""
    browser_port: int | None = None
    """UDP port of all browsers, 0 for any; without one there are no browser phones."""
    browser_host: str = ""
    """Address that port is bound to, ``host`` when empty."""
    browser_addresses: tuple[str, ...] = ()
    """Candidate addresses for browsers where they differ from that, such as a public one; the best first."""
    parent_pid: int | None = None
    """A process without which there is no reason to stay."""

    @property
    def sdp_address(self) -> str:
        """The address for SDP."""
        return self.advertise or self.host


class Birth(msgspec.Struct, frozen=True, array_like=True):
    """What a worker is told when it begins, beside its sockets."""

    slots: int
    """Of the checkpoint."""
    silence_timeout: int
    loop: RelayLoop
    realtime: bool
