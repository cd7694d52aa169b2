"""RTP ports that ``mediad`` keeps ready for the exchange, so that a description of ours needs no answer first."""

from collections import deque

from callcenter.media.protocol import PortsGranted


class PortStock:
    """The ports granted over the present connection."""

    def __init__(self) -> None:
        self._ports: deque[int] = deque()
        self._is_busy = False

    @property
    def is_open(self) -> bool:
        """Whether a new session needs no leave: media is not overloaded, and there are ports."""
        return bool(self._ports) and not self._is_busy

    def take(self) -> int:
        """A port for a new leg; 0 when there is none here, and media must be asked."""
        return self._ports.popleft() if self._ports else 0

    def give_back(self, port: int) -> None:
        """A port of which media was never told anything."""
        if port:
            self._ports.append(port)

    def hear(self, granted: PortsGranted) -> None:
        """More ports, or another load."""
        self._ports += granted.ports
        self._is_busy = granted.is_busy

    def clear(self) -> None:
        """A connection begins: what the former one granted is void."""
        self._ports.clear()
        self._is_busy = False
