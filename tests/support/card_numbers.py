"""Looking for card numbers wherever they must not be: in sounds, recordings, and any byte of an installation."""

from pathlib import Path

import numpy as np

from callcenter.media.audio import tone_share
from callcenter.media.g711 import Samples
from callcenter.media.inband import ToneDigits
from callcenter.media.recordings import load_keys
from callcenter.ports import RecordingFinished
from tests.support.heard_recordings import HeardRecording, listen
from tests.support.installation import Installation
from tests.support.waiting import until

KEYS = (697, 770, 852, 941, 1209, 1336, 1477, 1633)


async def the_recording(house: Installation) -> HeardRecording:
    """The one recording, once it is on disk."""
    await until(
        "the recording is stored",
        lambda: any(row.kind == "recording.stored" for row in house.journal.read()),
        within=30,
    )
    (entry,) = [row.entry for row in house.journal.read() if row.kind == "recording.stored"]
    folder = house.settings.recordings.folder
    assert folder is not None
    finished = RecordingFinished(
        entry.call_id, entry.recording_id, str(folder / entry.path), entry.sha256, entry.duration_ms, entry.truncated
    )
    return listen(finished, load_keys(house.folder / "recording.key"))


def loudest_key(samples: Samples) -> float:
    """The greatest amplitude that any of the eight tones has in any 40 ms."""
    frames = [samples[at : at + 320].astype(float) for at in range(0, len(samples) - 319, 160)]
    powers = (tone_share(frame, pitch) * 2 * np.mean(frame**2) for frame in frames for pitch in KEYS)
    return float(np.sqrt(max(powers, default=0.0)))


def digits_in(samples: Samples) -> str:
    """What a decoder makes of it."""
    return ToneDigits().hear(samples)


def traces(folder: Path, *numbers: str) -> list[tuple[str, str]]:
    """Card numbers, or keys as INFO carries them one by one, in any byte of any file, and where."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_socket()]
    held = {path: path.read_bytes() for path in files}
    assert any(b"card_entry.ended" in lying for lying in held.values()), "the journal is among them, readable"
    secrets = [*(number.encode() for number in numbers), b"Signal="]
    return [(secret.decode(), str(path)) for secret in secrets for path, lying in held.items() if secret in lying]
