import json
import re
import subprocess
import sys
from typing import Any, get_args

import msgspec
import pytest

from agent_console import envelope, messages, schema, softphone
from agent_console.messages import (
    AgentChanged,
    AgentState,
    ContactRemoved,
    FromBrowser,
    Numbered,
    Pong,
    Snapshot,
    Unnumbered,
)
from tests.support.fake_desk import FakeFloor, a_contact, a_queue, an_agent

pytestmark = pytest.mark.unit

FRAMES: tuple[type[msgspec.Struct], ...] = (*get_args(FromBrowser), *get_args(Numbered), *get_args(Unnumbered))
NOT_FRAMES = {
    "AgentView",
    "QueueView",
    "CustomerMatch",
    "ContactView",
    "FloorView",
    "IceServer",
    "CardAnswerView",
    "CardFieldView",
    "PoorLine",
    "SupervisionView",
    "ChannelLoad",
    "ChannelView",
    "RingView",
    "CallbackView",
}


def test_every_struct_of_the_wire_is_a_frame_of_one_direction_or_a_known_part() -> None:
    structs = {
        name
        for module in (messages, softphone)
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
    }
    assert structs == {frame.__name__ for frame in FRAMES} | NOT_FRAMES


def test_every_frame_has_a_tag_of_its_own_in_the_one_form() -> None:
    tags = [frame.__struct_config__.tag for frame in FRAMES]
    assert len(set(tags)) == len(FRAMES)
    assert all(isinstance(tag, str) and re.fullmatch(r"[a-z]+(\.[a-z_]+)?", tag) for tag in tags)
    assert all(frame.__struct_config__.tag_field == "type" for frame in FRAMES)


def test_no_field_of_a_frame_collides_with_the_envelope() -> None:
    for frame in FRAMES:
        assert not {"v", "seq", "after", "at", "type"} & set(frame.__struct_fields__) - (
            {"seq"} if frame is messages.Hello else set()
        )


def test_frames_are_flat_objects() -> None:
    assert json.loads(envelope.unnumbered(Pong(5))) == {"v": 1, "type": "pong", "server_time": 5}
    text = envelope.numbered(envelope.body(ContactRemoved("c1")), seq=12, after=11, at=99)
    assert json.loads(text) == {
        "v": 1,
        "seq": 12,
        "after": 11,
        "at": 99,
        "type": "contact.removed",
        "contact_id": "c1",
    }


def test_the_schema_names_both_directions_completely() -> None:
    definitions = schema.wire_schema()["$defs"]
    to_browser = {entry["$ref"].rpartition("/")[2] for entry in definitions["ToBrowser"]["oneOf"]}
    from_browser = {entry["$ref"].rpartition("/")[2] for entry in definitions["FromBrowser"]["oneOf"]}
    assert to_browser == {frame.__name__ for frame in (*get_args(Numbered), *get_args(Unnumbered))}
    assert from_browser == {frame.__name__ for frame in get_args(FromBrowser)}
    assert {"SessionView", "DeskSettings", "ErrorBody", "Credentials", "AgentState"} <= set(definitions)


def test_every_reference_in_the_schema_leads_somewhere() -> None:
    document = schema.wire_schema()
    references = set(re.findall(r'"\$ref": "#/\$defs/(\w+)"', json.dumps(document)))
    assert references <= set(document["$defs"])


def test_what_the_server_sends_has_exactly_the_fields_the_schema_requires() -> None:
    floor = FakeFloor([an_agent("anna", AgentState.READY)], [a_queue("sales", 1)], [a_contact("c1")])
    definitions: dict[str, Any] = schema.wire_schema()["$defs"]
    for frame in (Snapshot(floor.snapshot()), AgentChanged(an_agent("anna"))):
        sent = json.loads(envelope.numbered(envelope.body(frame), seq=2, after=1, at=3))
        assert set(sent) == set(definitions[type(frame).__name__]["required"])
    snapshot = json.loads(msgspec.json.encode(floor.snapshot()))
    assert set(snapshot["contacts"][0]) == set(definitions["ContactView"]["required"])
    assert set(snapshot["contacts"][0]["customer"]) == set(definitions["CustomerMatch"]["required"])


def test_the_module_prints_the_schema() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "agent_console.schema"], capture_output=True, check=True, text=True, encoding="utf-8"
    )
    assert json.loads(printed.stdout) == json.loads(json.dumps(schema.wire_schema()))
    assert printed.stderr == ""
