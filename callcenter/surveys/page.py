"""The page on which a customer answers, without signing in, reached by a signed link.

Opening it uses nothing up, since mail programs open links by themselves; only the form that is sent does. Who guesses
links is slowed down by address.
"""

import math
from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, Response

from agent_console.ports import IntentError
from agent_console.throttle import SignInThrottle
from callcenter.surveys.links import PATH, contact_of
from callcenter.surveys.page_form import WORDS, form, said
from callcenter.surveys.taking import Standing, SurveyAnswers
from crm_bridge.errors import CrmError

log = structlog.get_logger(__name__)

LARGEST_FORM = 16_384
LATER = "later"
"""What is said while something of ours is away."""
TokenPath = Annotated[str, Path(min_length=1, max_length=200)]
STATUS = {Standing.UNKNOWN: 404, Standing.EXPIRED: 410, Standing.INVALID: 422}
"""Every other standing is 200: who answered before is thanked, too."""


def survey_router(answers: SurveyAnswers, key: bytes, company: str, now: Callable[[], int]) -> APIRouter:
    """The page. ``key`` is what links are signed with, ``now`` is in milliseconds."""
    router, page = APIRouter(tags=["surveys"]), SurveyPage(answers, key, company, now)

    @router.get(PATH + "{token}", include_in_schema=False)
    async def ask(token: TokenPath, request: Request) -> Response:
        """200 with the form, or with thanks when it is answered; 404 forged, 410 expired, 429, 503."""
        return page.slowed_down(request) or await page.show(token, request)

    @router.post(PATH + "{token}", include_in_schema=False)
    async def take(token: TokenPath, request: Request) -> Response:
        """200 with thanks, also for who answered before; 404, 410, 422 off the scale, 429, 503."""
        return page.slowed_down(request) or await page.take(token, request)

    return router


class SurveyPage:
    """See ``survey_router``."""

    def __init__(self, answers: SurveyAnswers, key: bytes, company: str, now: Callable[[], int]) -> None:
        self._answers, self._key, self._company, self._now = answers, key, company, now
        self._throttle = SignInThrottle()

    def slowed_down(self, request: Request) -> Response | None:
        """The refusal of an address from which too many wrong links came."""
        wait_ms = self._throttle.admit("survey", _address(request), now=self._now())
        if not wait_ms:
            return None
        answer = self._says(request, LATER, 429)
        answer.headers["retry-after"] = str(math.ceil(wait_ms / 1000))
        return answer

    async def show(self, token: str, request: Request) -> Response:
        """The question, or how it stands with it."""
        call_id = self._contact(token, request)
        try:
            standing, kind = (Standing.UNKNOWN, "") if call_id is None else await self._answers.standing(call_id)
        except CrmError:
            return self._says(request, LATER, 503)
        if standing is Standing.OPEN:
            return _html(form(self._company, _language(request), kind), 200)
        return self._says(request, standing, STATUS.get(standing, 200))

    async def take(self, token: str, request: Request) -> Response:
        """Take the answer."""
        call_id = self._contact(token, request)
        if call_id is None:
            return self._says(request, Standing.UNKNOWN, 404)
        fields = await _fields(request)
        try:
            standing = await self._answers.take(call_id, _number(fields.get("score", "")), fields.get("comment", ""))
            if standing is Standing.INVALID:
                _, kind = await self._answers.standing(call_id)
                return _html(form(self._company, _language(request), kind, wrong=True), 422)
        except (CrmError, IntentError) as error:
            log.warning("survey answer not taken", error=type(error).__name__)
            return self._says(request, LATER, 503)
        return self._says(request, standing, STATUS.get(standing, 200))

    def _contact(self, token: str, request: Request) -> str | None:
        call_id = contact_of(token, self._key)
        if call_id is not None:
            self._throttle.succeeded("survey", _address(request))
        return call_id

    def _says(self, request: Request, what: str, status: int) -> Response:
        return _html(said(self._company, _language(request), what), status)


def _html(page: str, status: int) -> Response:
    return HTMLResponse(page, status, {"cache-control": "no-store", "x-robots-tag": "noindex"})


async def _fields(request: Request) -> dict[str, str]:
    """The form that was sent; nothing of one that is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            return {}
    try:
        told = parse_qs(bytes(body).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in told.items()}


def _number(text: str) -> int:
    """What was chosen; -1, which is off every scale, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else -1


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


def _language(request: Request) -> str:
    """``?lang=`` as the page's own links have it, else what the browser would rather read."""
    asked = request.query_params.get("lang", "")
    if asked in WORDS:
        return asked
    wishes = request.headers.get("accept-language", "").lower().replace(" ", "").split(",")
    return next((wish[:2] for wish in wishes if wish[:2] in WORDS), "en")
