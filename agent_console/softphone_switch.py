"""Which page has which phone: frames of browser phones on their way between sockets and exchange."""

from collections.abc import Callable

from agent_console.connections import Connection
from agent_console.ports import Role
from agent_console.softphone import FromSoftphone, SoftphoneGone, SoftphoneLine, SoftphoneReady, ToSoftphone

LONGEST_PHONE_ID = 64


class SoftphoneSwitch:
    """Remembers the connection of each phone. ``send`` queues a frame for one page."""

    def __init__(self, line: SoftphoneLine, send: Callable[[Connection, ToSoftphone], None]) -> None:
        self._line, self._send = line, send
        self._phones: dict[tuple[str, str], Connection] = {}

    def take(self, connection: Connection, frame: FromSoftphone) -> None:
        """A frame of a page's phone; of no effect from people who take no contacts, and before ``softphone.ready``."""
        agent_id = connection.principal.agent_id
        if agent_id is None or Role.AGENT not in connection.principal.roles:
            return
        match frame:
            case SoftphoneReady(phone_id=phone_id):
                if not 0 < len(phone_id) <= LONGEST_PHONE_ID:
                    return
                if connection.phone_id != phone_id:
                    self.leave(connection)
                connection.phone_id = phone_id
                self._phones[agent_id, phone_id] = connection
            case SoftphoneGone():
                self.leave(connection)
                return
        if connection.phone_id:
            self._line.hear(agent_id, connection.phone_id, frame)

    def leave(self, connection: Connection) -> None:
        """A page is gone, or its phone is; harmless when it had none. Another socket of the same page may have it."""
        agent_id, phone_id = connection.principal.agent_id, connection.phone_id
        connection.phone_id = ""
        if agent_id is None or self._phones.get((agent_id, phone_id)) is not connection:
            return
        del self._phones[agent_id, phone_id]
        self._line.hear(agent_id, phone_id, SoftphoneGone())

    def announce(self) -> None:
        """The exchange is back and knows nothing: say which phones there are."""
        for agent_id, phone_id in self._phones:
            self._line.hear(agent_id, phone_id, SoftphoneReady(phone_id))

    def tell(self, agent_id: str, phone_id: str, frame: ToSoftphone) -> None:
        """Send a frame to the page that has this phone; lost when it is gone, which the exchange will hear."""
        connection = self._phones.get((agent_id, phone_id))
        if connection is not None:
            self._send(connection, frame)


class NoExchange:
    """A line for consoles without an exchange that takes browser phones."""

    def hear(self, agent_id: str, phone_id: str, frame: FromSoftphone) -> None:
        """Nobody is there."""
