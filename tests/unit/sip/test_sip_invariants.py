"""Whatever is ordered, lost or crossed: each leg ends once, and nothing is left behind."""

import random

import pytest

from callcenter.calls.legs import EndCause, LegAnswered, LegEnded, LegOffered, LegRefused, LegReoffered, Party
from callcenter.ports import PhoneTarget
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.outbound import Target
from tests.support.sip_wire import CARRIER, EXCHANGE, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

SDP = "v=0\r\nm=audio 4000 RTP/AVP 0\r\n"
PHONES = (("10.0.2.1", 5062), ("10.0.2.2", 5062))
FLOW = Flow(Transport.UDP, EXCHANGE)


class Chaos:
    """Orders drawn from a seed on both sides of a bad network."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.network = Network(seed, loss=self.random.choice([0.0, 0.1, 0.25]), delay=(1, 300))
        self.exchange = exchange_on(self.network, anna="a1")
        self.carrier = phone_on(self.network, CARRIER, "carrier")
        self.phones = {address: phone_on(self.network, address, "anna") for address in PHONES}
        for address, phone in self.phones.items():
            register(self.network, address, phone, "anna", 3_600)
        self.endpoints = {EXCHANGE: self.exchange, CARRIER: self.carrier, **self.phones}
        self.legs: dict[tuple[str, int], list[str]] = {address: [] for address in self.endpoints}
        for address in self.endpoints:
            self.network.reactions[address] = lambda event, address=address: self._meet(address, event)

    def _meet(self, address, event) -> None:
        if isinstance(event, LegOffered):
            self.legs[address].append(event.leg_id)
        elif isinstance(event, LegReoffered) and self.random.random() < 0.8:
            self.network.perform(address, self.endpoints[address].accept_reoffer(event.leg_id, SDP, self.network.now))

    def act(self, n: int) -> None:
        network, now = self.network, self.network.now
        address = self.random.choice(list(self.endpoints))
        endpoint = self.endpoints[address]
        leg_id = self.random.choice(self.legs[address] or ["none"])
        match self.random.randrange(8):
            case 0:
                self.legs[CARRIER].append(f"c{n}")
                to, from_ = f"<sip:5@{EXCHANGE[0]}>", "<sip:+49@10.0.1.1>"
                targets = [Target(f"sip:5@{EXCHANGE[0]}", FLOW)]
                order = self.carrier.invite(f"c{n}", targets, from_=from_, to=to, sdp=SDP, now=now)
                network.perform(CARRIER, order)
            case 1:
                self.legs[EXCHANGE].append(f"x{n}")
                network.perform(EXCHANGE, self.exchange.ring_agent(f"x{n}", PhoneTarget("a1"), Party("1"), SDP, now))
            case 2:
                network.perform(address, endpoint.ring(leg_id, now))
            case 3 | 4:
                network.perform(address, endpoint.answer(leg_id, SDP, now))
            case 5:
                network.perform(address, endpoint.end(leg_id, self.random.choice(list(EndCause)), now))
            case 6:
                network.perform(address, endpoint.reoffer(leg_id, SDP, f"r{n}", now))
            case _:
                network.perform(address, endpoint.send_digit(leg_id, "1", now))
        network.run(self.random.choice([0, 5, 50, 400, 3_000]))


@pytest.mark.parametrize("seed", range(60))
def test_every_leg_ends_exactly_once_and_nothing_is_left_behind(seed):
    chaos = Chaos(seed)
    for n in range(80):
        chaos.act(n)
    for address, endpoint in chaos.endpoints.items():
        chaos.network.perform(address, endpoint.end_all(EndCause.SHUTDOWN, chaos.network.now))
    chaos.network.run(400_000)
    for address, endpoint in chaos.endpoints.items():
        over: set[str] = set()
        answered: set[str] = set()
        for event in chaos.network.events(address):
            assert event.leg_id not in over, event
            if isinstance(event, LegEnded | LegRefused):
                over.add(event.leg_id)
            elif isinstance(event, LegAnswered):
                assert event.leg_id not in answered, event
                answered.add(event.leg_id)
        assert over == set(chaos.legs[address])
        assert len(endpoint) == 0
        assert len(endpoint.wire.transactions) == 0
        assert endpoint._outbound._attempts == {}
        assert endpoint._requests._sent == {}
