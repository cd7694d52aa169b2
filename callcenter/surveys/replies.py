"""Text messages that come in by the gateway: an answer to a survey is taken, everything else waits for an agent.

The gateway signs what it posts as Twilio does, whose own library looks at it.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from acd.events import Channel
from agent_console.ports import IntentError
from callcenter.channels.facts import ItemArrived
from callcenter.surveys.taking import SurveyAnswers
from crm_bridge.errors import CrmError
from crm_bridge.phone_numbers import normal_forms

log = structlog.get_logger(__name__)

PATH = "/hooks/sms"
LARGEST_FORM = 65_536
LONGEST_TEXT = 2_000
_NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
_NO_ID = re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Gateway:
    """Whose messages they are. ``queue_id`` is where those wait that are no answers."""

    public_url: str
    token: str = field(repr=False)
    queue_id: str
    region: str


def is_genuine(gateway: Gateway, fields: Mapping[str, str], given: str) -> bool:
    """Whether the gateway signed these fields, as ``X-Twilio-Signature`` tells. Needs the extra ``sms``."""
    from twilio.request_validator import RequestValidator

    return bool(RequestValidator(gateway.token).validate(gateway.public_url + PATH, fields, given))


def sms_router(answers: SurveyAnswers, write_down: Callable[[object], Awaitable[None]], gateway: Gateway) -> APIRouter:
    """The route that the gateway posts to. ``write_down`` has the exchange journal an entry and act on it."""
    router = APIRouter(tags=["surveys"])

    @router.post(PATH, include_in_schema=False)
    async def take(request: Request) -> Response:
        """200 once it is an answer or waits for an agent, 403 for what the gateway did not sign, 503 to come again."""
        fields = await _fields(request)
        if not is_genuine(gateway, fields, request.headers.get("x-twilio-signature", "")):
            return Response(status_code=403)
        sender, text = fields.get("From", ""), fields.get("Body", "")
        message_id = _NO_ID.sub("", fields.get("MessageSid", ""))[:64]
        address = next(iter(normal_forms((sender,), gateway.region)), sender)
        try:
            if not (await answers.take_reply("sms", address, text)) and message_id:
                await write_down(_for_people(message_id, address, text, gateway.queue_id))
        except (CrmError, IntentError) as error:
            log.warning("text message not taken", error=type(error).__name__)
            return Response(status_code=503)
        return Response(_NOTHING_TO_SAY, media_type="text/xml")

    return router


def _for_people(message_id: str, address: str, text: str, queue_id: str) -> ItemArrived:
    kept = "".join(each if each.isprintable() or each == "\n" else " " for each in text)[:LONGEST_TEXT]
    return ItemArrived(f"sms-{message_id}", 0, Channel.SMS, queue_id, address, text=kept)


async def _fields(request: Request) -> dict[str, str]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            return {}
    try:
        return dict(parse_qsl(bytes(body).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return {}
