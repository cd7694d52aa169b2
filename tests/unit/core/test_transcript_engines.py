"""What an engine may say and is believed, and what of a recording it gets."""

from pathlib import Path

import numpy as np
import pytest

from callcenter.config import load_settings
from callcenter.errors import ConfigError
from callcenter.media.audio import read_wav, tone, tone_share
from callcenter.media.g711 import Samples
from callcenter.media.recordings import KeyRing
from callcenter.transcripts.engine import Phrase, TranscriptionError, checked
from callcenter.transcripts.keeper import conversation
from callcenter.transcripts.program import engine_of
from callcenter.transcripts.sound import take_apart
from crm_bridge.transcripts import Segment
from tests.support.fake_transcriber import FakeTranscriber
from tests.support.recorded_files import recorded, said
from tests.support.transcription_contract import RATE, TranscriptionEngineContract

pytestmark = pytest.mark.unit


class TestFake(TranscriptionEngineContract):
    @pytest.fixture
    def engine(self) -> FakeTranscriber:
        return FakeTranscriber()

    @pytest.fixture
    def speech(self) -> Samples:
        pause, said = np.zeros(RATE, np.int16), tone(400, 1, rate=RATE)
        return np.concatenate([pause, said, pause, said, pause])


def phrase(**changed: object) -> dict[str, object]:
    return {"start_ms": 100, "end_ms": 900, "text": "good  morning", **changed}


def test_what_can_be_true_is_believed_and_tidied() -> None:
    told = checked([phrase(), phrase(start_ms=950, end_ms=5000), phrase(start_ms=990, text=" ", end_ms=990)], 1000)
    assert told == (Phrase(100, 900, "good morning"), Phrase(950, 1000, "good morning"))


@pytest.mark.parametrize(
    "told",
    [
        None,
        "text",
        [1],
        [{}],
        [phrase(text=7)],
        [phrase(start_ms=-1)],
        [phrase(start_ms=900, end_ms=100)],
        [phrase(start_ms="100")],
        [phrase(start_ms=1001, end_ms=1002)],
        [phrase(start_ms=500), phrase(start_ms=400)],
        [phrase(text="x" * 4001)],
        [phrase(text="x" * 3000), phrase(text="x" * 3000)],
    ],
)
def test_what_cannot_be_true_is_not_believed(told: object) -> None:
    with pytest.raises(TranscriptionError):
        checked(told, 1000)


def test_a_conversation_is_in_the_order_of_speech_and_a_pause_stays_a_gap() -> None:
    heard = [
        ("customer", [Phrase(0, 500, "hello"), Phrase(2100, 2900, "four one one one"), Phrase(4000, 4500, "thanks")]),
        ("agent", [Phrase(600, 1500, "good morning")]),
    ]
    assert conversation(heard, [(2000, 3000)]) == (
        Segment(0, 500, "customer", "hello"),
        Segment(600, 1500, "agent", "good morning"),
        Segment(4000, 4500, "customer", "thanks"),
    )


@pytest.mark.parametrize("keys", [None, KeyRing("k", {"k": bytes(range(32))})])
def test_each_party_is_a_file_of_its_own_and_silent_in_the_pauses(tmp_path: Path, keys: KeyRing | None) -> None:
    """Whatever lies in the file there, and also where a pause goes over two pieces of it."""
    left, right = said((1, 24), seconds=25), said((2, 3), seconds=25)
    path = tmp_path / recorded(tmp_path, left, right, keys=keys)
    customer, agent = take_apart(path, keys, [(9000, 12_000)], tmp_path)
    samples, rate = read_wav(customer.path.read_bytes())
    assert (customer.party, agent.party, rate, len(samples)) == ("customer", "agent", RATE, 25 * RATE)
    within = samples[int(9.01 * RATE) : int(11.99 * RATE)]
    assert not within.any()
    assert min(tone_share(samples[at * RATE : (at + 1) * RATE], 400, rate=RATE) for at in (2, 8, 12, 20)) > 0.9
    assert (customer.is_silent, agent.is_silent) == (False, False)
    assert take_apart(path, keys, [(0, 25_000)], tmp_path)[0].is_silent


def test_nothing_is_written_down_unless_somebody_says_so() -> None:
    assert engine_of(load_settings(None).transcription) is None
    with pytest.raises(ConfigError, match="both set"):
        load_settings(None, recordings={"folder": "x"}, transcription={"engine": "pocketsphinx", "command": ["x"]})
    with pytest.raises(ConfigError, match=r"recordings\.folder is not"):
        load_settings(None, transcription={"engine": "pocketsphinx"})
