"""Unguessable names: as long as asked for, never the same octets twice, nothing shared with a forked process."""

import os

import pytest

from callcenter.chance import FETCHED, Chance, random_bits, random_hex

pytestmark = pytest.mark.unit


def test_octets_are_those_of_the_system_and_given_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fetches: list[bytes] = []
    draw = os.urandom

    def noted(count: int) -> bytes:
        fetches.append(draw(count))
        return fetches[-1]

    monkeypatch.setattr(os, "urandom", noted)
    chance = Chance()
    pieces = [chance.octets(12) for _ in range(FETCHED // 12)]
    assert len(fetches) == 1
    assert b"".join(pieces) == fetches[0][: 12 * len(pieces)]
    assert chance.octets(12) == fetches[1][:12]
    assert len(chance.octets(FETCHED + 1)) == FETCHED + 1


def test_another_process_gets_octets_of_its_own() -> None:
    """Both would otherwise give out what was fetched before the fork."""
    random_hex(1)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, random_hex(32).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 64).decode() != random_hex(32)
    os.close(reading)
    os.close(writing)


def test_names_and_numbers_have_the_size_asked_for() -> None:
    assert len(random_hex(12)) == 24
    numbers = [random_bits(31) for _ in range(2_000)]
    assert max(numbers) < 1 << 31
    assert max(numbers) > 1 << 30
    assert len(set(numbers)) > 1_990
