"""The JSON a browser sees: flat objects, the frame's own fields beside the envelope's.

Unnumbered: ``{"v":1,"type":"pong","server_time":...}``.
Numbered: ``{"v":1,"seq":12,"after":11,"at":...,"type":"agent.changed","agent":{...}}``.

A frame's own fields are encoded once for all browsers; only ``after`` differs between them.
"""

import msgspec

from agent_console.messages import WIRE_VERSION, FromBrowser, Numbered, Unnumbered

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[FromBrowser] = msgspec.json.Decoder(FromBrowser)


def body(frame: Numbered) -> str:
    """A numbered frame's own fields as JSON text without the opening brace, to be completed by ``numbered``."""
    return _encoder.encode(frame)[1:].decode()


def numbered(frame_body: str, *, seq: int, after: int, at: int) -> str:
    """A numbered frame. ``after`` is the ``seq`` of the numbered frame this browser got before; 0 for a snapshot."""
    return f'{{"v":{WIRE_VERSION},"seq":{seq},"after":{after},"at":{at},{frame_body}'


def unnumbered(frame: Unnumbered) -> str:
    """A frame outside the numbering."""
    return f'{{"v":{WIRE_VERSION},{_encoder.encode(frame)[1:].decode()}'


def decode(text: str) -> FromBrowser:
    """A frame from a browser. Raises ``msgspec.DecodeError`` when it is not one; unknown fields are ignored."""
    return _decoder.decode(text)
