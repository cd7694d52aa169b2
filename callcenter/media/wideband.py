"""Coding and decoding of 16 kHz speech: G.722 (ITU-T G.722, 64 kbit/s) and Opus (RFC 6716).

Both remember what went before, so each stream has a coder of its own. Frames are 20 ms, 320 samples.
"""

import ctypes
import functools
import importlib.util
from pathlib import Path
from typing import Protocol

import numpy as np
from G722 import G722

from callcenter.errors import MediaError
from callcenter.media.codecs import Codec
from callcenter.media.g711 import Samples

WIDE_RATE = 16000
WIDE_SAMPLES = 320
"""Samples of one 20 ms frame."""

_G722_BITS = 64000
_OPUS_VOIP = 2048
_OPUS_SET_BITRATE, _OPUS_SET_COMPLEXITY = 4002, 4010
_OPUS_BITS = 24000
_OPUS_COMPLEXITY = 3
_OPUS_LARGEST = 1275
_OPUS_LONGEST = WIDE_RATE * 120 // 1000
"""Samples of the longest packet (RFC 6716 section 3.2.5)."""


class Decoder(Protocol):
    """Turns payloads of one stream into 16 kHz speech."""

    def decode(self, payload: bytes) -> Samples:
        """The samples of one packet, none for a packet that is broken."""
        ...


class Encoder(Protocol):
    """Turns 16 kHz speech into payloads of one stream."""

    def encode(self, samples: Samples) -> bytes:
        """The payload of one 20 ms frame."""
        ...


class G722Decoder:
    """One G.722 stream in."""

    def __init__(self) -> None:
        self._state = G722(WIDE_RATE, _G722_BITS)

    def decode(self, payload: bytes) -> Samples:
        """See ``Decoder.decode``."""
        return np.frombuffer(self._state.decode(payload), dtype=np.int16) if payload else np.empty(0, np.int16)


class G722Encoder:
    """One G.722 stream out."""

    def __init__(self) -> None:
        self._state = G722(WIDE_RATE, _G722_BITS)

    def encode(self, samples: Samples) -> bytes:
        """See ``Encoder.encode``."""
        return bytes(self._state.encode(samples))


class OpusDecoder:
    """One Opus stream in, mixed to mono and brought to 16 kHz by the decoder itself."""

    def __init__(self) -> None:
        self._library = _libopus()
        error = ctypes.c_int()
        self._state = ctypes.c_void_p(self._library.opus_decoder_create(WIDE_RATE, 1, ctypes.byref(error)))
        if error.value:
            raise MediaError("no Opus decoder")
        self._samples = np.empty(_OPUS_LONGEST, dtype=np.int16)

    def __del__(self) -> None:
        self._library.opus_decoder_destroy(self._state)

    def decode(self, payload: bytes) -> Samples:
        """See ``Decoder.decode``."""
        if not payload:
            return np.empty(0, np.int16)
        target = self._samples.ctypes.data_as(ctypes.c_void_p)
        count = self._library.opus_decode(self._state, payload, len(payload), target, _OPUS_LONGEST, 0)
        return self._samples[: max(0, count)].copy()


class OpusEncoder:
    """One Opus stream out, tuned for speech at 24 kbit/s."""

    def __init__(self) -> None:
        self._library = _libopus()
        error = ctypes.c_int()
        self._state = ctypes.c_void_p(self._library.opus_encoder_create(WIDE_RATE, 1, _OPUS_VOIP, ctypes.byref(error)))
        if error.value:
            raise MediaError("no Opus encoder")
        for request, value in ((_OPUS_SET_BITRATE, _OPUS_BITS), (_OPUS_SET_COMPLEXITY, _OPUS_COMPLEXITY)):
            self._library.opus_encoder_ctl(self._state, request, ctypes.c_int(value))
        self._packet = ctypes.create_string_buffer(_OPUS_LARGEST)

    def __del__(self) -> None:
        self._library.opus_encoder_destroy(self._state)

    def encode(self, samples: Samples) -> bytes:
        """See ``Encoder.encode``."""
        source = np.ascontiguousarray(samples).ctypes.data_as(ctypes.c_void_p)
        size = self._library.opus_encode(self._state, source, len(samples), self._packet, _OPUS_LARGEST)
        return self._packet.raw[: max(0, size)]


def make_decoder(codec: Codec) -> Decoder:
    """A decoder for a new stream. Raises ``MediaError`` when the machine has no library for it."""
    return OpusDecoder() if codec is Codec.OPUS else G722Decoder()


def make_encoder(codec: Codec) -> Encoder:
    """An encoder for a new stream. Raises ``MediaError`` when the machine has no library for it."""
    return OpusEncoder() if codec is Codec.OPUS else G722Encoder()


@functools.cache
def silent_frame(codec: Codec) -> bytes:
    """20 ms of silence, as an encoder that has calmed down sends it."""
    encoder = make_encoder(codec)
    frames = [encoder.encode(np.zeros(WIDE_SAMPLES, np.int16)) for _ in range(10)]
    return frames[-1]


@functools.cache
def has_opus() -> bool:
    """Whether Opus can be offered on this machine."""
    try:
        _libopus()
    except MediaError:
        return False
    return True


@functools.cache
def _libopus() -> ctypes.CDLL:
    """The machine's libopus, else the one that PyAV brings along (without importing PyAV, which takes long)."""
    names = ["libopus.so.0"]
    spec = importlib.util.find_spec("av")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent.parent / "av.libs"
        names += [str(path) for path in sorted(folder.glob("libopus*"))]
    for name in names:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.opus_encoder_create.restype = ctypes.c_void_p
        library.opus_decoder_create.restype = ctypes.c_void_p
        return library
    raise MediaError("no libopus on this machine: install libopus0")
