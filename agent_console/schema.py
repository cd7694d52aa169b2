"""The wire as one JSON Schema document: ``python -m agent_console.schema`` prints it; the browser's types follow it.

``FromBrowser`` and ``ToBrowser`` are the two directions; ``Numbered`` and ``Unnumbered`` split the second. Frames
to the browser include their envelope, and every field is required there, because the server always writes them all.
"""

import json
import sys
from collections.abc import Iterable
from typing import Any, get_args

import msgspec

from agent_console.errors import ErrorBody
from agent_console.intents import INTENTS
from agent_console.messages import WIRE_VERSION, FromBrowser, Numbered, Unnumbered
from agent_console.ports import DeskSettings
from agent_console.routes.health import Health
from agent_console.routes.session import Credentials, SessionView

FROM_BROWSER: tuple[type[msgspec.Struct], ...] = get_args(FromBrowser)
NUMBERED: tuple[type[msgspec.Struct], ...] = get_args(Numbered)
UNNUMBERED: tuple[type[msgspec.Struct], ...] = get_args(Unnumbered)
HTTP_BODIES: tuple[type, ...] = (Credentials, SessionView, DeskSettings, ErrorBody, Health)

Schema = dict[str, Any]
_VERSION: Schema = {"const": WIRE_VERSION}
_INSTANT: Schema = {"type": "integer", "description": "Milliseconds since the epoch."}
_ENVELOPE: Schema = {
    "v": _VERSION,
    "seq": {"type": "integer", "description": "This frame's number."},
    "after": {
        "type": "integer",
        "description": "The number of the numbered frame this browser got before; 0 for a snapshot.",
    },
    "at": _INSTANT,
}


def wire_schema() -> Schema:
    """The document as plain data."""
    _, definitions = msgspec.json.schema_components(
        (*FROM_BROWSER, *NUMBERED, *UNNUMBERED, *HTTP_BODIES), ref_template="#/$defs/{name}"
    )
    browsers_own = {frame.__name__ for frame in FROM_BROWSER} | {Credentials.__name__}
    for name, definition in definitions.items():
        if name not in browsers_own and "properties" in definition:
            definition["required"] = list(definition["properties"])
    for frame in NUMBERED:
        _wrap(definitions[frame.__name__], _ENVELOPE)
    for frame in UNNUMBERED:
        _wrap(definitions[frame.__name__], {"v": _VERSION})
    definitions["Intent"]["properties"]["intent"] = {"enum": sorted(INTENTS)}
    definitions |= {
        "FromBrowser": _one_of(FROM_BROWSER),
        "Numbered": _one_of(NUMBERED),
        "Unnumbered": _one_of(UNNUMBERED),
        "ToBrowser": _one_of((*NUMBERED, *UNNUMBERED)),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The console's wire",
        "version": WIRE_VERSION,
        "$defs": dict(sorted(definitions.items())),
    }


def _wrap(definition: Schema, envelope: Schema) -> None:
    definition["properties"] = {**envelope, **definition["properties"]}
    definition["required"] = list(definition["properties"])


def _one_of(frames: Iterable[type[msgspec.Struct]]) -> Schema:
    return {"oneOf": [{"$ref": f"#/$defs/{frame.__name__}"} for frame in frames]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(wire_schema(), indent=2, ensure_ascii=False) + "\n")
