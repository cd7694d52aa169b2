"""Phones that were registered before a restart are within reach after it."""

from pathlib import Path

import pytest

from callcenter.calls.legs import LegOffered, Party
from callcenter.ports import PhoneTarget
from callcenter.sip.binding_file import KeptBinding, load_bindings, save_bindings
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.wire import PhoneReachable
from tests.support.sip_wire import EXCHANGE, Network, exchange_on, phone_on, register

pytestmark = pytest.mark.unit

SDP = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
PHONE = ("10.0.2.1", 5060)


def lived(path: Path, expires: int = 300):
    """An exchange with one registered phone, written down; returns its network, which goes on without it."""
    network = Network()
    exchange = exchange_on(network, anna="a1")
    register(network, PHONE, phone_on(network, PHONE, "anna"), "anna", expires)
    save_bindings(path, exchange.kept_bindings())
    return network


def test_the_phone_is_rung_at_once_by_the_next_life(tmp_path):
    network = lived(tmp_path / "b.json")
    after = exchange_on(network, anna="a1")
    network.perform(EXCHANGE, after.restore_bindings(load_bindings(tmp_path / "b.json"), network.now))
    assert after.reachable("a1", network.now)
    assert PhoneReachable("a1", True) in network.heard[EXCHANGE]
    network.perform(EXCHANGE, after.ring_agent("L", PhoneTarget("a1"), Party("1"), SDP, network.now))
    network.run(200)
    assert any(isinstance(event, LegOffered) for event in network.events(PHONE))
    assert after.kept_bindings() == load_bindings(tmp_path / "b.json")


def test_what_ran_out_meanwhile_and_who_is_gone_is_not_taken_back(tmp_path):
    network = lived(tmp_path / "b.json", 60)
    kept = load_bindings(tmp_path / "b.json")
    for directory, later in (({"anna": "a1"}, 61_000), ({"ben": "a2"}, 0)):
        after = exchange_on(network, **directory)
        assert after.restore_bindings(kept, network.now + later) == []
        assert after.kept_bindings() == []


def test_a_restored_phone_runs_out_when_it_does_not_register_again(tmp_path):
    network = lived(tmp_path / "b.json", 60)
    after = exchange_on(network, anna="a1")
    network.perform(EXCHANGE, after.restore_bindings(load_bindings(tmp_path / "b.json"), network.now))
    network.run(70_000)
    assert not after.reachable("a1", network.now)
    assert network.heard[EXCHANGE][-1] == PhoneReachable("a1", False)


def test_the_order_of_registrations_holds_across_the_restart(tmp_path):
    """A REGISTER of before, repeated by the network or an attacker, does not count after."""
    network = lived(tmp_path / "b.json")
    after = exchange_on(network, anna="a1")
    after.restore_bindings(load_bindings(tmp_path / "b.json"), network.now)
    (kept,) = after.kept_bindings()
    assert (kept.call_id, kept.cseq > 0) == ("reg-anna", True)


def test_connections_are_not_kept():
    network = Network()
    exchange = exchange_on(network, anna="a1")
    register(network, PHONE, phone_on(network, PHONE, "anna"), "anna")
    ((aor, binding),) = exchange._phones.registrar.all()
    exchange._phones.registrar.restore(
        aor, binding.__class__(binding.contact, Flow(Transport.TCP, PHONE, 3), 0, "x", 1, "i;1")
    )
    assert len(exchange._phones.registrar) == 2
    assert len(exchange.kept_bindings()) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'[["a"]]', b"\xff"])
def test_a_damaged_file_costs_no_start(tmp_path, content):
    (tmp_path / "b.json").write_bytes(content)
    assert load_bindings(tmp_path / "b.json") == []


def test_a_contact_that_is_none_is_left_out(tmp_path):
    after = exchange_on(Network(), anna="a1")
    broken = KeptBinding("anna", '"<', "10.0.0.9", 5060, 0, 2_000_000_000_000, "c", 1)
    assert after.restore_bindings([broken], 1_700_000_000_000) == []


def test_the_file_is_whole_private_and_written_over(tmp_path):
    path = tmp_path / "new" / "b.json"
    first = KeptBinding("anna", "<sip:a@h>", "10.0.0.9", 5060, 0, 1, "c", 1, path=("<sip:edge;lr>",))
    save_bindings(path, [first])
    save_bindings(path, [first, first])
    assert load_bindings(path) == [first, first]
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == ["b.json"]
    save_bindings(Path("/proc/none/b.json"), [first])
