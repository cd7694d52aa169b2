"""What a leg says, decoded: once per packet, and only as far as somebody needs it."""

from callcenter.media.codecs import FORMS, Codec
from callcenter.media.g711 import AUDIBLE, TRANSCODE, Samples, decode, encode, is_audible, loudness
from callcenter.media.law import Law
from callcenter.media.resampling import DoubleRate, HalveRate
from callcenter.media.rtp import timestamp_distance
from callcenter.media.wideband import Decoder, make_decoder

_CLOCK = 8000


class Rates:
    """The changes of rate of one stream."""

    __slots__ = ("double", "halve")

    def __init__(self) -> None:
        self.double, self.halve = DoubleRate(), HalveRate()


class Heard:
    """One packet's speech. ``timestamp`` counts an 8 kHz clock, whatever the codec's own."""

    __slots__ = ("_narrow", "_payload", "_rates", "_wide", "law", "timestamp")

    def __init__(self, timestamp: int, payload: bytes, law: Law, wide: Samples | None, rates: "Rates") -> None:
        self.timestamp = timestamp
        self.law = law
        """Of ``narrow``."""
        self._payload = payload
        self._wide = wide
        self._rates = rates
        self._narrow = payload if wide is None else b""

    @property
    def narrow(self) -> bytes:
        """As G.711 in ``law``."""
        if self._wide is not None and not self._narrow:
            self._narrow = encode(self._rates.halve.next(self._wide), self.law)
        return self._narrow

    @property
    def linear(self) -> Samples:
        """As linear samples at 8 kHz."""
        return decode(self.narrow, self.law)

    @property
    def is_audible(self) -> bool:
        """Whether there is more than silence."""
        if self._wide is not None:
            return is_audible(self._wide)
        return loudness(self._payload, self.law) >= AUDIBLE

    def in_law(self, law: Law | None) -> bytes:
        """As G.711 in that law, or as linear samples at 16 kHz for ``None``."""
        if law is None:
            if self._wide is None:
                self._wide = self._rates.double.next(decode(self._payload, self.law))
            return self._wide.tobytes()
        narrow = self.narrow
        return narrow if law is self.law else narrow.translate(TRANSCODE[self.law, law])


class Ear:
    """Decodes one leg's packets in the order of their arrival."""

    __slots__ = ("_decoder", "_decoding", "_last", "_position", "_rates")

    def __init__(self) -> None:
        self._decoder: Decoder | None = None
        self._decoding: Codec | None = None
        self._rates = Rates()
        self._last: int | None = None
        self._position = 0

    def hear(self, codec: Codec, timestamp: int, payload: bytes) -> Heard:
        """Decode a packet; one that is broken has no samples."""
        law = FORMS[codec].law
        if law is not None:
            return Heard(timestamp, payload, law, None, self._rates)
        if self._decoder is None or self._decoding is not codec:
            self._decoder, self._decoding = make_decoder(codec), codec
            self._rates, self._last = Rates(), None
        samples = self._decoder.decode(payload)
        if len(samples) % 2:
            samples = samples[:-1]
        return Heard(self._unit(codec, timestamp), b"", Law.PCMU, samples, self._rates)

    def _unit(self, codec: Codec, timestamp: int) -> int:
        """A timestamp on an 8 kHz clock; wraps are followed, because 2**32 is no multiple of every ratio."""
        ratio = FORMS[codec].clock // _CLOCK
        if ratio == 1:
            return timestamp
        self._position += timestamp if self._last is None else timestamp_distance(timestamp, self._last)
        self._last = timestamp
        return self._position // ratio & 0xFFFFFFFF
