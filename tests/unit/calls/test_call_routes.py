"""Who hears whom: every mode, every supervisor, as a table and as properties."""

import itertools

import pytest

from callcenter.calls.participants import (
    JOINED,
    Conversation,
    Participant,
    Role,
    Supervision,
    music_for,
    routes_for,
)

pytestmark = pytest.mark.unit

CUSTOMER, AGENT, CONSULTED = (Participant(role, role) for role in (Role.CUSTOMER, Role.AGENT, Role.CONSULTED))
THREE = (CUSTOMER, AGENT, CONSULTED)


def heard(mode: Conversation, supervision: Supervision | None = None) -> set[str]:
    """``a>b``: a is heard by b; c, a, k and s are customer, agent, consulted party and supervisor."""
    names = {"customer": "c", "agent": "a", "consulted": "k", "supervisor": "s"}
    everybody = THREE if supervision is None else (*THREE, Participant("supervisor", Role.SUPERVISOR, supervision))
    return {f"{names[source]}>{names[destination]}" for source, destination in routes_for(everybody, mode)}


@pytest.mark.parametrize(
    ("mode", "ways"),
    [
        (Conversation.WAITING, ""),
        (Conversation.TALK, "c>a a>c"),
        (Conversation.HELD, ""),
        (Conversation.CONSULT, "a>k k>a"),
        (Conversation.CONFERENCE, "c>a a>c c>k k>c a>k k>a"),
        (Conversation.PRIVATE, "c>k k>c"),
    ],
)
def test_each_mode_joins_exactly_these(mode: Conversation, ways: str) -> None:
    assert heard(mode) == set(ways.split())


@pytest.mark.parametrize(
    ("supervision", "mode", "more"),
    [
        (Supervision.MONITOR, Conversation.TALK, "c>s a>s"),
        (Supervision.MONITOR, Conversation.CONSULT, "a>s k>s"),
        (Supervision.MONITOR, Conversation.HELD, "a>s"),
        (Supervision.WHISPER, Conversation.TALK, "c>s a>s s>a"),
        (Supervision.WHISPER, Conversation.CONFERENCE, "c>s a>s k>s s>a"),
        (Supervision.BARGE, Conversation.TALK, "c>s a>s s>c s>a"),
        (Supervision.BARGE, Conversation.HELD, "a>s s>a"),
    ],
)
def test_a_supervisor_is_laid_over_whatever_mode_holds(supervision: Supervision, mode: Conversation, more: str) -> None:
    assert heard(mode, supervision) == heard(mode) | set(more.split())


@pytest.mark.parametrize(("mode", "supervision"), list(itertools.product(Conversation, (None, *Supervision))))
def test_nobody_hears_himself_and_no_customer_hears_a_monitor_or_a_whisper(
    mode: Conversation, supervision: Supervision | None
) -> None:
    ways = heard(mode, supervision)
    assert not {f"{each}>{each}" for each in "caks"} & ways
    if supervision is not Supervision.BARGE:
        assert not {"s>c", "s>k"} & ways


@pytest.mark.parametrize("mode", Conversation)
def test_music_is_for_those_who_hear_nobody_and_never_for_the_agent(mode: Conversation) -> None:
    music = music_for(THREE, mode)
    assert Role.AGENT not in music
    assert not music & {destination for _, destination in routes_for(THREE, mode)}
    assert music | JOINED[mode] | {Role.AGENT} == {Role.CUSTOMER, Role.CONSULTED, Role.AGENT}
