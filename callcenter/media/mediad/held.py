"""A session as the keeper holds it: its latest description, its sockets, and who waits for it."""

import socket
from dataclasses import dataclass, field

import msgspec

from callcenter.media.mediad.crew import WorkerProcess
from callcenter.media.protocol import LegCounts, SessionSpec

_DEATHS_WITHIN = 60_000
"""Milliseconds in which a second death of its worker is held against a session."""


@dataclass(slots=True)
class HeldSession:
    """Everything needed to start the session again in another worker."""

    spec: SessionSpec
    sockets: dict[str, socket.socket] = field(default_factory=dict)
    """The legs' RTP sockets, also of legs on their way out."""
    controls: dict[str, socket.socket | None] = field(default_factory=dict)
    """Sockets of the reports of legs that have them on a port of their own; ``None`` where that was taken."""
    worker: WorkerProcess | None = None
    ports: dict[str, int] = field(default_factory=dict)
    """The local ports of these sockets."""
    known_to_worker: set[str] = field(default_factory=set)
    """Legs whose sockets the present worker has."""
    controls_known: set[str] = field(default_factory=set)
    """Legs whose sockets for reports it has."""
    waiting: list[tuple[int, int]] = field(default_factory=list)
    """(version, request) of orders not yet answered."""
    drop_requests: list[int] = field(default_factory=list)
    closed: dict[str, LegCounts] = field(default_factory=dict)
    """Figures of closed legs that nobody has been told yet."""
    deaths: list[int] = field(default_factory=list)
    is_closing: bool = False
    _over: set[str] = field(default_factory=set)
    """Plays that are over while the exchange may not know it yet."""

    def adopt(self, spec: SessionSpec) -> set[str]:
        """Take a new description; plays that are over stay over and are returned, as the exchange missed their end."""
        self._over &= {play.play_id for play in spec.plays}
        plays = tuple(play for play in spec.plays if play.play_id not in self._over)
        self.spec = msgspec.structs.replace(spec, plays=plays)
        return self._over

    def end_play(self, play_id: str) -> None:
        """A play is over; a successor must not start it again."""
        self._over.add(play_id)
        self.spec = msgspec.structs.replace(
            self.spec, plays=tuple(play for play in self.spec.plays if play.play_id != play_id)
        )

    def lose_worker(self, *, now: int) -> bool:
        """Its worker died. False when that happened twice in short time: the session itself may be the poison."""
        self.worker = None
        self.known_to_worker.clear()
        self.controls_known.clear()
        for play in self.spec.plays:
            if play.digits:  # some of them may have been sent
                self.end_play(play.play_id)
        self.deaths = [at for at in self.deaths if now - at < _DEATHS_WITHIN] + [now]
        return len(self.deaths) < 2

    def hold(self, leg_id: str, port: int, sock: socket.socket) -> None:
        """A new leg's socket."""
        self.ports[leg_id], self.sockets[leg_id] = port, sock

    def let_go(self, leg_id: str) -> tuple[int, socket.socket]:
        """A leg is gone: its port and socket. That of its reports is closed."""
        control = self.controls.pop(leg_id, None)
        if control is not None:
            control.close()
        self.controls_known.discard(leg_id)
        return self.ports.pop(leg_id), self.sockets.pop(leg_id)
