"""Callers who leave messages, in a house under virtual time; see ``tests.support.house``."""

from typing import Any

from acd.events import Channel
from agent_console.messages import ContactView
from callcenter.calls.voicemail_facts import VoicemailBegun
from callcenter.channels.inbox import InboundItem
from callcenter.site.models import Site
from tests.support.fake_signalling import FakeLeg
from tests.support.house import House, open_house, small_site
from tests.support.virtual_time import settle

FLOW = """
[flow]
name = "line"
start = "greet"
languages = ["en"]

[prompts.hello]
en = "Hello."

[prompts.speak]
en = "Leave a message, and end it with the hash key."

[steps.greet]
type = "answer"
next = "wait"

[steps.wait]
type = "queue"
queue = "sales"
otherwise = "message"

[steps.message]
type = "voicemail"
box = "sales"
prompt = "speak"
max_seconds = 60
next = "bye"

[steps.bye]
type = "play"
prompt = "hello"
next = "end"

[steps.end]
type = "hang_up"
reason = "left_message"
"""


def site_with_exit(*, agents: dict[str, dict[str, Any]] | None = None, **queues: Any) -> Site:
    """The small site, whose queues are left by the key 9; ``agents`` and ``queues`` get these settings besides."""
    site = small_site()
    changed = [{**queue.model_dump(), "exit_key": "9", **queues} for queue in site.queues]
    sofia = {"id": "sofia", "name": "Sofia", "login": "sofia", "password_hash": "-", "roles": ["supervisor"]}
    people = [{**agent.model_dump(), **(agents or {}).get(agent.id, {})} for agent in site.agents]
    return Site.model_validate({**site.model_dump(), "queues": changed, "agents": [*people, sofia]})


async def a_house(*, site: Site | None = None, box: str = "sales", **more: Any) -> House:
    """A house whose flow takes messages for a box."""
    return await open_house(site=site or site_with_exit(), flow=FLOW.replace('box = "sales"', f'box = "{box}"'), **more)


async def leave(house: House, caller: str = "+12025550111") -> FakeLeg:
    """A caller who leaves the queue by its key and is asked to speak."""
    leg = await house.call(caller)
    await key(house, leg, "9")
    await house.hear_out(leg)
    return leg


async def key(house: House, leg: FakeLeg, digit: str) -> None:
    """The caller presses a key at once."""
    house.core.switchboard.on_media_event(house.digit(leg, digit))
    await settle()


async def leave_message(house: House, caller: str = "+12025550111") -> str:
    """A caller leaves a message of a second and is gone; the message's id once it is on disk."""
    leg = await leave(house, caller)
    message = begun(house)[-1]
    await key(house, leg, "#")
    await house.hang_up(leg)
    await settle()
    return message.recording_id


async def message_arrives(
    house: House, number: int = 0, *, box: str = "sales", channel: Channel = Channel.MESSAGE
) -> str:
    """A contact of a shared channel comes, without any call that rings somebody first; its id."""
    contact_id = f"call{number}-v1"
    inbound = InboundItem(contact_id, channel, box, f"+120255502{number:02}", parent_id=f"call{number}")
    await house.core.items.arrive(inbound)
    await settle()
    return contact_id


def begun(house: House) -> list[VoicemailBegun]:
    """The messages that were begun."""
    return [entry for entry in house.journal.entries if isinstance(entry, VoicemailBegun)]


def shown(house: House, contact_id: str) -> ContactView | None:
    """A contact on the floor."""
    return house.core.floor.contact(contact_id)
