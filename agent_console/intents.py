"""What a person may want: one table from the wire's word to the desk's method, and the memory that makes it safe to
ask twice."""

import asyncio
import traceback
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from agent_console.messages import Intent, IntentAccepted, IntentRefused
from agent_console.ports import Desk, IntentError, Principal, Role

log = structlog.get_logger()

REMEMBERED_PER_USER = 256
REMEMBERED_USERS = 2_000
ANSWER_WITHIN_SECONDS = 10.0
LONGEST_ID = 100
LONGEST_TEXT: Mapping[str, int] = {"notes": 10_000}
LONGEST_FIELD = 200


@dataclass(frozen=True, slots=True)
class IntentRule:
    """How an intent is carried out: ``Desk.<method>(agent_id, *required, *optional)``, for those with ``roles``."""

    method: str
    required: tuple[str, ...] = ()
    """Fields that must be there and not empty."""
    optional: tuple[str, ...] = ()
    """Fields that count as empty text when they are not there."""
    roles: frozenset[Role] = frozenset({Role.AGENT})
    """Any of these is enough."""
    seat: bool = True
    """Whether it is about the person's own seat; else the first argument is who asks."""


ABOVE = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
LEADING = ABOVE | {Role.TEAM_LEAD}
"""The desk knows whom each of them leads."""
AT_WORK = ABOVE | {Role.AGENT}
"""Agents about what is theirs, those above about their queues'; the desk looks whose it is."""


INTENTS: Mapping[str, IntentRule] = {
    "agent.ready": IntentRule("ready"),
    "agent.not_ready": IntentRule("not_ready", required=("reason",)),
    "offer.decline": IntentRule("decline", required=("contact_id",)),
    "contact.hang_up": IntentRule("hang_up", required=("contact_id",)),
    "contact.identify": IntentRule("identify", required=("contact_id", "customer_id")),
    "contact.hold": IntentRule("hold", required=("contact_id",)),
    "contact.resume": IntentRule("resume", required=("contact_id",)),
    "contact.transfer": IntentRule("transfer", required=("contact_id", "target_kind", "target")),
    "contact.consult": IntentRule("consult", required=("contact_id", "target_kind", "target")),
    "consult.complete": IntentRule("complete", required=("contact_id",)),
    "consult.cancel": IntentRule("cancel", required=("contact_id",)),
    "consult.swap": IntentRule("swap", required=("contact_id",)),
    "consult.conference": IntentRule("conference", required=("contact_id",)),
    "contact.park": IntentRule("park", required=("contact_id",)),
    "park.retrieve": IntentRule("retrieve", required=("slot",)),
    "call.dial": IntentRule("dial", required=("target_kind", "target")),
    "call.override_hours": IntentRule("override_hours", required=("target", "reason")),
    "contact.send_digits": IntentRule("send_digits", required=("contact_id", "digits")),
    "contact.secure": IntentRule("secure", required=("contact_id", "how"), optional=("target",)),
    "recording.start": IntentRule("start_recording", required=("contact_id",)),
    "recording.stop": IntentRule("stop_recording", required=("contact_id",)),
    "recording.pause": IntentRule("pause_recording", required=("contact_id",)),
    "recording.resume": IntentRule("resume_recording", required=("contact_id",)),
    "offer.accept": IntentRule("accept", required=("contact_id",)),
    "contact.give_back": IntentRule("give_back", required=("contact_id",)),
    "contact.finish": IntentRule("finish", required=("contact_id",), roles=frozenset(Role), seat=False),
    "contact.move": IntentRule("move", required=("contact_id", "target_kind", "target"), roles=LEADING, seat=False),
    "contact.supervise": IntentRule("supervise", required=("contact_id", "how"), roles=LEADING, seat=False),
    "wrap_up.finish": IntentRule("finish_wrap_up", required=("contact_id", "disposition"), optional=("notes",)),
    "wrap_up.extend": IntentRule("extend_wrap_up", optional=("contact_id",)),
    "callback.promise": IntentRule("promise_callback", required=("contact_id",)),
    "callback.call_off": IntentRule("call_off_callback", required=("target",), roles=AT_WORK, seat=False),
    "callback.call_now": IntentRule("call_back_now", required=("target",), roles=AT_WORK, seat=False),
    "callback.to_top": IntentRule("move_callback_to_top", required=("target",), roles=ABOVE, seat=False),
    "callback.hand_over": IntentRule(
        "hand_over_callbacks", required=("from_user", "to_user"), roles=LEADING, seat=False
    ),
    "message.hand_over": IntentRule("hand_over_messages", required=("from_user", "to_user"), roles=LEADING, seat=False),
    "queue.close": IntentRule("close_queue", required=("target",), roles=ABOVE, seat=False),
    "queue.open": IntentRule("open_queue", required=("target",), roles=ABOVE, seat=False),
}


Answer = IntentAccepted | IntentRefused


@dataclass(frozen=True, slots=True)
class _Order:
    """An intent that passed every check here."""

    method: str
    agent_id: str
    values: tuple[str, ...]


def _checked(principal: Principal, intent: Intent) -> _Order:
    """The order an intent stands for. Raises ``IntentError`` when it must not even reach the desk."""
    rule = INTENTS.get(intent.intent)
    if rule is None:
        raise IntentError("unknown-intent", "The console does not know this request.")
    if not rule.roles & principal.roles:
        raise IntentError("not-allowed", "Your role does not allow this.")
    if not rule.seat:
        return _Order(rule.method, principal.user_id, _values(rule, intent))
    if principal.agent_id is None:
        raise IntentError("no-seat", "You have no seat to work on.")
    return _Order(rule.method, principal.agent_id, _values(rule, intent))


def _values(rule: IntentRule, intent: Intent) -> tuple[str, ...]:
    given: dict[str, str] = {name: getattr(intent, name) or "" for name in (*rule.required, *rule.optional)}
    for name, value in given.items():
        if name in rule.required and not value:
            raise IntentError("missing-field", f"{name} is missing.")
        if len(value) > LONGEST_TEXT.get(name, LONGEST_FIELD):
            raise IntentError("field-too-long", f"{name} is too long.")
    return tuple(given.values())


@dataclass(slots=True)
class IntentMemory:
    """Carries intents out and remembers the answers by user and ``intent_id``.

    A repeated id waits for, or gets, the answer of the first one. The work belongs to the memory and not to the socket
    it came by: a browser that lost its socket asks again with the same id and learns how it went.
    """

    desk: Desk
    answer_within_seconds: float = ANSWER_WITHIN_SECONDS
    _tasks: OrderedDict[str, OrderedDict[str, asyncio.Task[Answer]]] = field(default_factory=OrderedDict)

    async def carry_out(self, principal: Principal, intent: Intent) -> Answer:
        """The answer to this intent; refused ones are answered, never raised."""
        if not 0 < len(intent.intent_id) <= LONGEST_ID:
            return IntentRefused(intent.intent_id[:LONGEST_ID], "malformed-intent", "intent_id is empty or too long.")
        known = self._of_user(principal.user_id)
        task = known.get(intent.intent_id)
        if task is None:
            if len(known) >= REMEMBERED_PER_USER and not _forget_oldest(known):
                return IntentRefused(intent.intent_id, "too-many-requests", "Too many requests are under way.")
            task = asyncio.create_task(self._answer(principal, intent), name=f"intent {intent.intent}")
            known[intent.intent_id] = task
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = [task for known in self._tasks.values() for task in known.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()

    def _of_user(self, user_id: str) -> OrderedDict[str, asyncio.Task[Answer]]:
        known = self._tasks.setdefault(user_id, OrderedDict())
        self._tasks.move_to_end(user_id)
        if len(self._tasks) > REMEMBERED_USERS:
            oldest = next(iter(self._tasks))
            if all(task.done() for task in self._tasks[oldest].values()):
                del self._tasks[oldest]
        return known

    async def _answer(self, principal: Principal, intent: Intent) -> Answer:
        try:
            order = _checked(principal, intent)
            async with asyncio.timeout(self.answer_within_seconds):
                await getattr(self.desk, order.method)(order.agent_id, *order.values)
        except IntentError as refusal:
            return IntentRefused(intent.intent_id, refusal.code, refusal.message)
        except TimeoutError:
            log.warning("console.intent_timed_out", intent=intent.intent, user_id=principal.user_id)
            return IntentRefused(intent.intent_id, "no-answer", "The exchange did not answer in time.")
        except Exception as error:  # noqa: BLE001 - the edge of one socket message: log once, answer, go on
            log.error(
                "console.intent_failed",
                intent=intent.intent,
                user_id=principal.user_id,
                error_type=type(error).__name__,
                error_pii=str(error),
                places=traceback.format_tb(error.__traceback__),
            )
            return IntentRefused(intent.intent_id, "internal-error", "This did not work; it has been noted.")
        return IntentAccepted(intent.intent_id)


def _forget_oldest(known: OrderedDict[str, asyncio.Task[Answer]]) -> bool:
    """Forget the oldest answer that was given; ``False`` when all are still under way."""
    for intent_id, task in known.items():
        if task.done():
            del known[intent_id]
            return True
    return False
