"""Conversations are spread over the phases of a frame, and how late they are served is counted."""

from types import SimpleNamespace
from typing import Any

import pytest

from callcenter.media.mediad.lateness import LATEST, Lateness, percentile
from callcenter.media.mediad.phases import PHASES, Phase, place

pytestmark = pytest.mark.unit


def conversation(*ticking: str, plays: bool = False) -> Any:
    return SimpleNamespace(ticking=list(ticking), plays={"p": None} if plays else {})


def test_a_phase_has_work_while_somebody_is_mixed_or_played_to() -> None:
    phase = Phase()
    relayed, mixed = conversation(), conversation("a", "b")
    phase.conversations += [relayed, mixed]
    phase.gather()
    assert (phase.ticking, phase.has_work) == (["a", "b"], True)
    phase.drop(mixed)
    phase.drop(mixed)
    phase.gather()
    assert not phase.has_work
    phase.conversations.append(conversation(plays=True))
    assert phase.has_work


def test_another_phase_is_begun_when_one_is_full_and_then_all_are_filled_alike() -> None:
    phases = [Phase() for _ in range(PHASES)]
    for number in range(200):
        place(phases).conversations.append(conversation(str(number)))
    assert [len(phase.conversations) for phase in phases] == [50] * PHASES
    del phases[2].conversations[:30]
    assert place(phases) is phases[2]
    few = [Phase() for _ in range(PHASES)]
    for number in range(30):
        place(few).conversations.append(conversation(str(number)))
    assert [len(phase.conversations) for phase in few] == [25, 5, 0, 0]


def test_lateness_is_counted_by_the_millisecond_and_begins_anew_when_told() -> None:
    late = Lateness()
    for milliseconds in (-1, 0, 1, 1, 2, 5 * LATEST):
        late.note(milliseconds)
    counts = late.take()
    assert counts == {0: 2, 1: 2, 2: 1, LATEST: 1}
    assert late.take() == {}
    assert [percentile(counts, share) for share in (0.01, 0.5, 0.8, 0.99)] == [0.0, 1.0, 2.0, LATEST]
    assert percentile({}, 0.5) is None
