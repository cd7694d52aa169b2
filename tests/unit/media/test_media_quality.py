"""The estimate of how a call sounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.media.codecs import Codec
from callcenter.media.quality import estimate_mos

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("loss", "jitter", "round_trip", "mos"),
    [(0, 0, 0, 4.39), (1, 0, 0, 4.3), (5, 5, 60, 3.84), (20, 0, 0, 2.58), (0, 0, 600, 3.46), (100, 400, 2000, 1.0)],
)
def test_known_values(loss: float, jitter: float, round_trip: float, mos: float) -> None:
    """Worked by hand from the formula."""
    estimate = estimate_mos(Codec.PCMU, loss_percent=loss, jitter_ms=jitter, round_trip_ms=round_trip)
    assert estimate == pytest.approx(mos, abs=0.02)


@given(st.floats(0, 100), st.floats(0, 500), st.floats(0, 5000), st.floats(0, 20))
def test_more_loss_never_sounds_better(loss: float, jitter: float, round_trip: float, more: float) -> None:
    def mos(percent: float) -> float:
        return estimate_mos(Codec.PCMA, loss_percent=percent, jitter_ms=jitter, round_trip_ms=round_trip)

    assert 1.0 <= mos(min(100.0, loss + more)) <= mos(loss) <= 4.5
