"""Card data to a payment system by HTTPS: one signed POST, one small JSON answer, nothing kept.

The request is signed like those of the large payment providers: ``X-Signature: t=SECONDS,v1=HEX`` with the HMAC-SHA256
of ``SECONDS.BODY``, so that a receiver can refuse forged and replayed ones. It is never repeated: after a time-out
nobody here knows whether it was taken, and the agent is told so.
"""

import asyncio
import hashlib
import hmac
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog

from callcenter.errors import ConfigError
from callcenter.payments.breaker import Breaker
from callcenter.payments.fields import CardField, wipe
from callcenter.payments.port import PaymentAnswer, PaymentOrder
from callcenter.ports import Clock

log = structlog.get_logger(__name__)

LARGEST_ANSWER = 16 * 1024
_LONGEST = {"result": 40, "token": 200, "last4": 4, "message": 300}
_RESULT = re.compile(r"[a-z0-9_-]{1,40}")
_LAST4 = re.compile(r"[0-9]{4}")
_TOKEN = re.compile(r"[A-Za-z0-9._:~+/=-]{1,200}")


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where to. ``ca_file`` is trusted instead of the machine's authorities; ``timeout_seconds`` is for everything."""

    url: str
    secret: bytes
    timeout_seconds: float = 10.0
    ca_file: Path | None = None

    def __repr__(self) -> str:
        """Without the secret."""
        return f"WebhookSettings({urlsplit(self.url).hostname})"


class PaymentWebhook:
    """Implements ``Payments``. Raises ``ConfigError`` for an address that is not ``https``, or an unreadable file."""

    def __init__(self, settings: WebhookSettings, clock: Clock, *, breaker: Breaker | None = None) -> None:
        parts = urlsplit(settings.url)
        if parts.scheme != "https" or not parts.hostname or parts.username is not None:
            raise ConfigError("payments.url must be an https address without a user name: card data goes there")
        if len(settings.secret) < 16:
            raise ConfigError("payments: the secret that signs requests must have 16 characters or more")
        self._settings, self._clock, self._breaker = settings, clock, breaker or Breaker()
        try:
            trust = ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"payments.ca_file: {settings.ca_file} cannot be read: {error}") from error
        self._trust = trust

    async def submit(self, order: PaymentOrder) -> PaymentAnswer:
        """See ``Payments.submit``."""
        try:
            if not self._breaker.allows(now=self._clock.now()):
                return PaymentAnswer("failed_resting", message="The payment system has not answered for a while.")
            answer = await self._send(order)
        finally:
            wipe(order.fields)
        if answer.has_failed:
            self._breaker.failed(now=self._clock.now())
            log.warning("payments.failed", call_id=order.call_id, request_id=order.request_id, result=answer.result)
        else:
            self._breaker.succeeded()
            log.info("payments.answered", call_id=order.call_id, request_id=order.request_id, result=answer.result)
        return answer

    async def _send(self, order: PaymentOrder) -> PaymentAnswer:
        body = _body(order)
        seconds, patience = self._clock.now() // 1000, self._settings.timeout_seconds
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": order.request_id,
            "X-Signature": f"t={seconds},v1={signature(self._settings.secret, seconds, body)}",
        }
        try:
            async with (
                asyncio.timeout(patience),
                httpx.AsyncClient(
                    verify=self._trust, trust_env=False, follow_redirects=False, timeout=patience
                ) as http,
                http.stream("POST", self._settings.url, content=body, headers=headers) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    return _failed("failed_status", f"The payment system answered {response.status_code}.")
                said = bytearray()
                async for part in response.aiter_bytes():
                    said += part
                    if len(said) > LARGEST_ANSWER:
                        return _failed("failed_answer", "The payment system's answer is too large.")
        except (TimeoutError, httpx.TimeoutException):
            return _failed("failed_timeout", "The payment system did not answer in time.")
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            return _failed("failed_connection", f"The payment system cannot be reached ({type(error).__name__}).")
        return read_answer(bytes(said), order.fields)


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    """What stands after ``v1=``."""
    return hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


def read_answer(said: bytes, fields: Mapping[CardField, bytearray]) -> PaymentAnswer:
    """The payment system's answer, cleaned: what is no short text of the right form is left out, and an answer that
    repeats what was typed is not believed at all."""
    number = bytes(fields.get(CardField.NUMBER, b""))
    if (number and number in re.sub(rb"[ -]", b"", said)) or _tells_code(said, fields):
        return _failed("failed_answer", "The payment system's answer held card data and was thrown away.")
    try:
        told = json.loads(said)
    except ValueError:
        return _failed("failed_answer", "The payment system's answer is not JSON.")
    if not isinstance(told, dict):
        return _failed("failed_answer", "The payment system's answer is not a JSON object.")
    texts = {name: str(told.get(name) or "")[:longest] for name, longest in _LONGEST.items()}
    if not _RESULT.fullmatch(texts["result"]) or texts["result"].startswith("failed_"):
        return _failed("failed_answer", "The payment system's answer names no result.")
    return PaymentAnswer(
        texts["result"],
        texts["token"] if _TOKEN.fullmatch(texts["token"]) else "",
        texts["last4"] if _LAST4.fullmatch(texts["last4"]) else "",
        "".join(each for each in texts["message"] if each.isprintable()),
    )


def _tells_code(said: bytes, fields: Mapping[CardField, bytearray]) -> bool:
    """Whether a value of the answer is just what was typed as the security code."""
    code = bytes(fields.get(CardField.CODE, b""))
    return bool(code) and re.search(rb'[:\[,]\s*"?' + code + rb'"?\s*[,}\]]', said) is not None


def _failed(result: str, message: str) -> PaymentAnswer:
    return PaymentAnswer(result, message=message)


def _body(order: PaymentOrder) -> bytes:
    return json.dumps(
        {
            "version": 1,
            "request_id": order.request_id,
            "call_id": order.call_id,
            "contact_id": order.contact_id,
            "agent_id": order.agent_id,
            "queue_id": order.queue_id,
            "card": {name: digits.decode("ascii") for name, digits in order.fields.items()},
        }
    ).encode()
