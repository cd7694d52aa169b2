"""SIP endpoints on a network that exists in memory only: seeded loss and delay, virtual time, no sockets."""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from ipaddress import ip_network

from callcenter.calls.legs import LegEvent
from callcenter.sip.attempts import Login
from callcenter.sip.digest import ha1
from callcenter.sip.endpoint import Endpoint
from callcenter.sip.exchange import Exchange
from callcenter.sip.flows import Address, Flow, Transmit, Transport
from callcenter.sip.media_keys import MediaRule
from callcenter.sip.numbering import NumberingRules
from callcenter.sip.phone import PhoneEndpoint
from callcenter.sip.settings import SipSettings
from callcenter.sip.trunks import Trunk
from callcenter.sip.wire import EndpointOutcome, Identity, Replied

EPOCH = 1_700_000_000_000
"""Where virtual time begins, milliseconds."""
REALM = "callcenter"
EXCHANGE: Address = ("10.0.0.1", 5060)
CARRIER: Address = ("10.0.1.1", 5060)


def seeded_tokens(seed: object) -> Callable[[], str]:
    """Tokens that are the same in every run."""
    source = random.Random(repr(seed))
    return lambda: f"{source.getrandbits(96):024x}"


class FakeDirectory:
    """Agents by user name; every password is the user name backwards."""

    def __init__(self, **agents: str) -> None:
        self._agents = agents
        self.rules: dict[str, MediaRule] = {}

    def ha1(self, username: str, algorithm: str) -> str | None:
        """The stored hash."""
        return ha1(username, REALM, username[::-1], algorithm) if username in self._agents else None

    def agent_of(self, username: str) -> str | None:
        """Whose phone it is."""
        return self._agents.get(username)

    def media_rule(self, agent_id: str) -> MediaRule:
        """What a test chooses, else as by default."""
        return self.rules.get(agent_id, MediaRule())


class Network:
    """Carries datagrams between endpoints by address and lets their alarms ring."""

    def __init__(
        self, seed: int = 1, *, loss: float = 0.0, twice: float = 0.0, delay: tuple[int, int] = (5, 15)
    ) -> None:
        """``loss`` and ``twice`` are shares of the datagrams, lost or carried twice; a wide ``delay`` reorders them."""
        self.now = EPOCH
        self.carried: list[tuple[Address, Address, bytes]] = []
        """Everything that was sent, lost or not."""
        self.drop: Callable[[bytes], bool] = lambda data: False
        """Loses what a test chooses."""
        self._random = random.Random(seed)
        self._loss = loss
        self._twice = twice
        self._delay = delay
        self._stations: dict[Address, Endpoint] = {}
        self._queue: list[tuple[int, int, Address, Address, bytes]] = []
        self._order = itertools.count()
        self.heard: dict[Address, list[EndpointOutcome]] = {}
        self.reactions: dict[Address, Callable[[EndpointOutcome], None]] = {}

    def join(self, address: Address, endpoint: Endpoint) -> None:
        """Put an endpoint on the network."""
        self._stations[address] = endpoint
        self.heard[address] = []

    def perform(self, address: Address, outcomes: list[EndpointOutcome]) -> None:
        """Carry out what an endpoint said."""
        for outcome in outcomes:
            if isinstance(outcome, Transmit):
                self.inject(address, outcome.flow.remote, outcome.data)
            else:
                self.heard[address].append(outcome)
                if (reaction := self.reactions.get(address)) is not None:
                    reaction(outcome)

    def inject(self, source: Address, destination: Address, data: bytes) -> None:
        """Send a datagram as if from ``source``."""
        self.carried.append((source, destination, data))
        if self.drop(data) or self._random.random() < self._loss:
            return
        for _ in range(2 if self._twice and self._random.random() < self._twice else 1):
            at = self.now + self._random.randint(*self._delay)
            heapq.heappush(self._queue, (at, next(self._order), source, destination, data))

    def run(self, milliseconds: int) -> None:
        """Let this much time pass."""
        end = self.now + milliseconds
        while (at := self._next()) is not None and at <= end:
            self.now = max(self.now, at)
            if self._queue and self._queue[0][0] <= self.now:
                _, _, source, destination, data = heapq.heappop(self._queue)
                station = self._stations.get(destination)
                if station is not None:
                    flow = Flow(Transport.UDP, source)
                    self.perform(destination, station.receive(data, flow, self.now))
            else:
                for address, endpoint in self._stations.items():
                    self.perform(address, endpoint.handle_timer(self.now))
        self.now = end

    def _next(self) -> int | None:
        deadlines = [d for one in self._stations.values() if (d := one.next_deadline()) is not None]
        if self._queue:
            deadlines.append(self._queue[0][0])
        return min(deadlines, default=None)

    def events(self, address: Address) -> list[LegEvent]:
        """The leg events an endpoint told."""
        return [one for one in self.heard[address] if isinstance(one, LegEvent)]

    def sent_by(self, address: Address, start: str = "") -> list[bytes]:
        """What an endpoint sent, only messages that begin so."""
        return [data for source, _, data in self.carried if source == address and data.startswith(start.encode())]


def exchange_on(
    network: Network,
    settings: SipSettings | None = None,
    trunks: Sequence[Trunk] = (),
    rules: NumberingRules | None = None,
    address: Address = EXCHANGE,
    **agents: str,
) -> Exchange:
    """An exchange with one trunk, ``carrier`` (10.0.1.0/24), unless others are given, and these agents by user name."""
    settings = settings or SipSettings(host=address[0], port=address[1], realm=REALM)
    trunk = Trunk("carrier", (ip_network("10.0.1.0/24"),))
    identity = Identity(*address, "callcenter")
    tokens = seeded_tokens("exchange" if address == EXCHANGE else address)
    exchange = Exchange(identity, settings, FakeDirectory(**agents), trunks or [trunk], b"k" * 32, tokens, rules)
    network.join(address, exchange)
    return exchange


def phone_on(network: Network, address: Address, username: str, password: str | None = None) -> PhoneEndpoint:
    """A phone whose password is right unless another is given."""
    login = Login(username, username[::-1] if password is None else password)
    phone = PhoneEndpoint(Identity(*address, username), EXCHANGE, login, seeded_tokens(address))
    network.join(address, phone)
    return phone


def register(network: Network, address: Address, phone: PhoneEndpoint, username: str, expires: int = 300) -> Replied:
    """Register a phone and return how it ended, 40 seconds being enough."""
    own = f"<sip:{username}@{EXCHANGE[0]}>"
    flow = Flow(Transport.UDP, EXCHANGE)
    token = f"register {network.now}"
    network.perform(
        address,
        phone.send(
            "REGISTER",
            f"sip:{EXCHANGE[0]}",
            flow,
            token,
            network.now,
            from_=own,
            to=own,
            call_id=f"reg-{username}",
            cseq=network.now - EPOCH + 1,
            headers=(("Contact", phone.wire.contact(flow)), ("Expires", str(expires))),
        ),
    )
    for _ in range(400):
        network.run(100)
        for outcome in network.heard[address]:
            if isinstance(outcome, Replied) and outcome.token == token:
                return outcome
    raise AssertionError("no answer to REGISTER")
