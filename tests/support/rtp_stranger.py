"""A stranger who sends RTP to every port of a range, and keeps what is sent back."""

import itertools
import socket
from collections.abc import Sequence

from callcenter.media.audio import tone
from callcenter.media.g711 import encode
from callcenter.media.law import Law
from callcenter.media.rtp import RtpPacket, pack
from callcenter.media.telephone_event import digit_payloads

STRANGER_HZ = 2500
"""What a stranger sounds like."""


class Stranger:
    """Sends speech, the digit 9 and reports to every port in turn, from ``host``."""

    def __init__(self, host: str, ports: Sequence[int]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        self._ports = ports
        self._sequence = itertools.count()
        self._speech = encode(tone(STRANGER_HZ, 0.02), Law.PCMU)

    def attack(self) -> None:
        """Six packets of speech running, a digit and a report to each port."""
        for port in self._ports:
            for _ in range(6):
                self._send(port, 0, self._speech)
            for payload in digit_payloads("9"):
                self._send(port, 101, payload)
            self.socket.sendto(b"\x81\xc9\x00\x07" + bytes(28), ("127.0.0.1", port))

    @property
    def bled(self) -> int:
        """Bytes that came here."""
        total = 0
        while True:
            try:
                total += len(self.socket.recv(65536))
            except BlockingIOError:
                return total

    def close(self) -> None:
        """Attack no more."""
        self.socket.close()

    def _send(self, port: int, payload_type: int, payload: bytes) -> None:
        number = next(self._sequence)
        packet = RtpPacket(payload_type, number & 0xFFFF, 160 * number & 0xFFFFFFFF, 4711, payload)
        self.socket.sendto(pack(packet), ("127.0.0.1", port))
