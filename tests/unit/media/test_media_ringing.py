"""The ringing tone sounds as the country's does, and its pauses are silent."""

import numpy as np
import pytest

from callcenter.media.audio import tone_share
from callcenter.media.law import SAMPLE_RATE
from callcenter.media.ringing import COMMON, TONES, ringing, ringing_path

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("tone", [COMMON, *dict.fromkeys(TONES.values())])
def test_a_tone_has_its_frequencies_and_its_cadence(tone):
    samples = ringing(tone)
    assert len(samples) == round(sum(tone.cadence) * SAMPLE_RATE)
    start = 0
    for number, seconds in enumerate(tone.cadence):
        part = samples[start : start + round(seconds * SAMPLE_RATE)]
        start += len(part)
        if number % 2:
            assert not part.any()
        else:
            shares = [tone_share(part, frequency) for frequency in tone.frequencies]
            assert sum(shares) > 0.95
            assert min(shares) > 0.9 / len(shares)
            assert 0.1 * 32767 < np.abs(part).max() < 0.2 * 32767


def test_a_country_without_a_tone_of_its_own_has_the_common_one_and_files_are_made_once(tmp_path):
    path = ringing_path(tmp_path, "DE")
    assert ringing_path(tmp_path, "IT") == path
    assert ringing_path(tmp_path, "US") != path
    assert len(list(tmp_path.iterdir())) == 2
