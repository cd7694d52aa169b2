"""A browser as the socket's protocol describes it: keeps a floor from frames and never accepts a gap."""

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec

from agent_console.connections import Connection
from agent_console.live import ConsoleHub
from agent_console.messages import FloorView, Hello
from agent_console.ports import Principal
from agent_console.sessions import Session
from tests.support.fake_desk import NOON

Views = dict[str, dict[str, Any]]


def keyed(floor: FloorView) -> Views:
    """A floor as plain data by id, to compare without regard to order."""
    plain = json.loads(msgspec.json.encode(floor))
    return {
        "agents": {view["agent_id"]: view for view in plain["agents"]},
        "queues": {view["queue_id"]: view for view in plain["queues"]},
        "contacts": {view["contact_id"]: view for view in plain["contacts"]},
    }


@dataclass
class BrowserModel:
    """One person's browser on a hub, without a socket. ``read`` takes frames as slowly as a test wants."""

    hub: ConsoleHub
    principal: Principal
    epoch: str | None = None
    seq: int | None = None
    views: Views = field(default_factory=lambda: {"agents": {}, "queues": {}, "contacts": {}})
    frames: list[dict[str, Any]] = field(default_factory=list)
    connection: Connection | None = None

    def connect(self) -> None:
        """Open a connection and say hello with what is known."""
        session = Session(self.principal.user_id, NOON, NOON, f"session of {self.principal.user_id}")
        self.connection = self.hub.connect(self.principal, session)
        self.hub.receive(self.connection, Hello(self.epoch, self.seq))

    def disconnect(self) -> None:
        """Lose the connection with everything unread."""
        assert self.connection is not None
        self.hub.disconnect(self.connection)
        self.connection = None

    def read(self, most: int | None = None) -> list[dict[str, Any]]:
        """Read at most so many frames and live by them."""
        assert self.connection is not None
        got: list[dict[str, Any]] = []
        while (most is None or len(got) < most) and (text := self.hub.take(self.connection)) is not None:
            frame = json.loads(text)
            self._apply(frame)
            got.append(frame)
        self.frames += got
        return got

    def _apply(self, frame: dict[str, Any]) -> None:
        assert frame["v"] == 1
        match frame["type"]:
            case "welcome":
                self.epoch = frame["epoch"]
            case "snapshot":
                assert frame["after"] == 0
                self.seq = frame["seq"]
                self.views = {
                    kind: {view[f"{kind[:-1]}_id"]: view for view in frame["floor"][kind]}
                    for kind in ("agents", "queues", "contacts")
                }
            case "agent.changed" | "queue.changed" | "contact.changed" | "contact.removed":
                assert frame["after"] == self.seq, f"gap: {frame} after {self.seq}"
                assert frame["seq"] > frame["after"]
                self.seq = frame["seq"]
                self._apply_delta(frame)

    def _apply_delta(self, frame: dict[str, Any]) -> None:
        kind, _, verb = frame["type"].partition(".")
        if verb == "removed":
            del self.views["contacts"][frame["contact_id"]]
        else:
            self.views[f"{kind}s"][frame[kind][f"{kind}_id"]] = frame[kind]
