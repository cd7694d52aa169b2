"""Deformed messages and descriptions: nothing but the error that says so leaves a parser, and the exchange goes on."""

import itertools
import random

import pytest
from hypothesis import given, settings

from callcenter.errors import MediaError
from callcenter.media import sdp
from callcenter.sip.callers import diversions_of
from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.messages import SipMessage, SipRequest
from callcenter.sip.parser import parse
from callcenter.sip.redirects import redirect_targets
from callcenter.sip.replaces import parse_replaces
from tests.support.sip_mutations import INVITE, SDP, mutations, seeds
from tests.support.sip_wire import CARRIER, EXCHANGE, Network, exchange_on

pytestmark = pytest.mark.unit


def read_everything(message: SipMessage) -> None:
    """Ask a message for whatever the product asks; each may say ``BadMessage``."""
    readings = [
        message.vias,
        lambda: (message.from_, message.to, message.cseq, message.call_id),
        lambda: message.contacts,
        *(
            lambda name=name: message.addresses(name)
            for name in ("record-route", "route", "p-asserted-identity", "path")
        ),
        *(lambda name=name: message.listed(name) for name in ("supported", "require", "accept", "allow")),
        *(lambda name=name: message.number(name) for name in ("rseq", "expires", "min-expires")),
        lambda: [parse_replaces(value) for value in message.values("replaces")],
        lambda: (message.content_type, message.body_text),
        lambda: diversions_of(message) if isinstance(message, SipRequest) else redirect_targets(message),  # type: ignore[arg-type]
        lambda: bytes(message),
    ]
    for read in readings:
        try:
            read()
        except BadMessage:
            continue


def read_description(text: str) -> None:
    """Meet a description as an offer."""
    try:
        sdp.read_offer(text)
    except MediaError:
        return


@settings(max_examples=60, deadline=None)
@given(seeds())
def test_only_bad_message_leaves_the_parser(seed):
    for data in itertools.islice(mutations(random.Random(seed)), 25):
        try:
            message = parse(data)
        except BadMessage:
            continue
        read_everything(message)


@settings(max_examples=40, deadline=None)
@given(seeds())
def test_only_a_media_error_leaves_the_description(seed):
    for data in itertools.islice(mutations(random.Random(seed), (SDP.encode(),)), 25):
        read_description(data.decode("utf-8", "replace"))


def test_an_option_tag_that_is_none_is_not_repeated_in_an_answer():
    network = Network()
    exchange = exchange_on(network)
    request = INVITE.replace(b"Require: replaces", b"Require: a\x01b")
    (said,) = exchange.receive(request, Flow(Transport.UDP, CARRIER), network.now)
    assert said.data.startswith(b"SIP/2.0 400 Bad option tag")
    assert b"\x01" not in said.data


@settings(max_examples=25, deadline=None)
@given(seeds())
def test_the_exchange_goes_on_whatever_its_carrier_sends(seed):
    network = Network()
    exchange = exchange_on(network, anna="a1")
    for data in itertools.islice(mutations(random.Random(seed)), 25):
        network.perform(EXCHANGE, exchange.receive(data, Flow(Transport.UDP, CARRIER), network.now))
        network.run(20)
    network.run(400_000)
    assert not len(exchange)
    assert not len(exchange.wire.transactions)
