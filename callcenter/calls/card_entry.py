"""Card entry in one call: what the customer types nobody hears, records or sees; it goes to the payment system only.

It belongs to one agent with this customer alone: whoever hands the call on, parks it or lets it go leaves it at once.
"""

import asyncio
import secrets
from dataclasses import dataclass, field

import structlog

from callcenter.calls.audio import CARD_PLAY
from callcenter.calls.book import CallBook
from callcenter.calls.dependencies import CallDependencies
from callcenter.calls.effects import CUSTOMER_LEG
from callcenter.calls.recorder import CallRecorder
from callcenter.calls.recording_facts import (
    CardEntryAnswered,
    CardEntryBegun,
    CardEntryEnded,
    CardEntryShown,
)
from callcenter.calls.recordings import RecordingRefused
from callcenter.calls.segments import Seat
from callcenter.calls.states import CallState
from callcenter.errors import MediaError
from callcenter.payments.fields import CardDigits, CardField
from callcenter.payments.port import PaymentOrder, Payments
from ivr.effects import PromptText

log = structlog.get_logger(__name__)

ENTRY_STATES = frozenset({CallState.TALKING, CallState.HELD})
"""Where a customer may type: with one agent and nobody else sought, asked or on the way."""
PROMPT_NAME = "card_entry"
"""What the names of these prompts begin with, for operators' recordings."""


class CardEntryRefused(RecordingRefused):
    """Card entry is not possible, or not like this."""

    code = "card-entry-refused"


class NoPayments(RecordingRefused):
    """There is nobody to give card data to."""

    code = "card-entry-not-configured"


@dataclass(frozen=True, slots=True)
class SecureAsked:
    """Mail of a desk: ``how`` is ``on`` (the customer types this field now), ``off`` (what was typed is thrown away)
    or ``send``. ``done`` is resolved when it is so, or gets the ``RecordingRefused`` or ``MediaError`` that says why
    it is not."""

    agent_id: str
    how: str
    card_field: CardField
    done: "asyncio.Future[None]" = field(compare=False)


def may_go_on(began: Seat, state: CallState, agent: Seat | None) -> bool:
    """Whether a card entry that this agent began goes on in this state of the call."""
    return state in ENTRY_STATES and agent is not None and agent.contact_id == began.contact_id


class CardEntry:
    """Owned by the call's runner, whose task is the only one that calls it."""

    def __init__(self, call_id: str, deps: CallDependencies, recorder: CallRecorder, book: CallBook) -> None:
        self._call_id = call_id
        self._deps = deps
        self._recorder = recorder
        self._book = book
        self.seat: Seat | None = None
        """Who began it, while it is on."""
        self._field = CardField.NUMBER
        self._digits = CardDigits()
        self._keys = 0
        self._plays = 0
        self._sending: set[asyncio.Task[None]] = set()

    def takes(self, digit: str, *, secret: bool) -> bool:
        """Whether a key that was pressed belongs here; then nobody else may learn of it."""
        if self.seat is None:
            return secret  # late, after the end
        self._keys += 1
        self._digits.press(self._field, digit)
        self._show()
        return True

    async def switch(self, asked: SecureAsked, agent: Seat | None, state: CallState) -> None:
        """Do what a desk asked for, and answer it. ``agent`` is who has the customer."""
        try:
            if agent is None or agent.agent_id != asked.agent_id:
                raise RecordingRefused("You do not talk with this customer.")
            if asked.how == "on":
                await self._begin(agent, asked.card_field, state)
            elif asked.how == "send":
                await self._send(agent)
            elif self.seat is not None:
                await self._end("agent")
        except (RecordingRefused, MediaError) as error:
            asked.done.set_exception(error)
        else:
            self._book.answer(asked.done)

    async def follow(self, state: CallState, agent: Seat | None) -> None:
        """The call moved on: leave where card entry must not go on. What cannot be unmasked stays masked."""
        if self.seat is None or may_go_on(self.seat, state, agent):
            return
        try:
            await self._end("ended" if state is CallState.ENDED else "handed_on")
        except MediaError as error:
            log.warning("customer stays masked", call_id=self._call_id, error=str(error))

    def forget(self) -> None:
        """The call is over, whatever happened: nothing that was typed stays."""
        self._digits.wipe()
        self.seat = None

    async def _begin(self, agent: Seat, card_field: CardField, state: CallState) -> None:
        """Nothing is recorded before the keys are masked."""
        if self._deps.payments is None:
            raise NoPayments("Card data cannot be taken: no payment system is configured ([payments] url).")
        if state not in ENTRY_STATES:
            raise CardEntryRefused("Talk with the customer alone to take card data.")
        began, self._field = self.seat is None, card_field
        if began:
            await self._recorder.secure(True)
            await self._deps.media.secure(self._call_id, CUSTOMER_LEG, on=True)
            self.seat, self._keys = agent, 0
            self._book.note(CardEntryBegun(self._call_id, self._deps.clock.now(), agent.agent_id))
        self._show()
        await self._ask_customer(card_field)

    async def _end(self, reason: str) -> None:
        """The keys are unmasked before anything is recorded again; what was typed is gone in any case."""
        seat, keys = self.seat, self._keys
        self._digits.wipe()
        self.seat, self._keys = None, 0
        try:
            await self._deps.media.secure(self._call_id, CUSTOMER_LEG, on=False)
            await self._recorder.secure(False)
        finally:
            if seat is not None:
                now = self._deps.clock.now()
                self._book.note(CardEntryEnded(self._call_id, now, seat.agent_id, keys, reason))

    async def _send(self, agent: Seat) -> None:
        payments = self._deps.payments
        if self.seat is None or payments is None:
            raise CardEntryRefused("No card data is being entered.")
        if not self._digits.is_complete:
            raise CardEntryRefused("What was typed is not complete, or not right.")
        fields = self._digits.take()
        names = tuple(str(name) for name in fields)
        order = PaymentOrder(
            secrets.token_hex(12), self._call_id, agent.contact_id, agent.agent_id, agent.queue_id, fields
        )
        ended = asyncio.Event()
        task = asyncio.create_task(self._submit(payments, order, names, ended), name=f"card data {self._call_id}")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        try:
            await self._end("sent")
        finally:
            ended.set()

    async def _submit(
        self, payments: Payments, order: PaymentOrder, names: tuple[str, ...], ended: asyncio.Event
    ) -> None:
        """Outside of the call's turn, and longer than the call if need be: what came of it is known in any case.

        An answer may be faster than the media plane ends the masking; it is told after that end, as it follows from it.
        """
        answer = await payments.submit(order)
        await ended.wait()
        self._book.note(
            CardEntryAnswered(
                self._call_id,
                self._deps.clock.now(),
                order.contact_id,
                order.agent_id,
                names,
                answer.result,
                answer.token,
                answer.last4,
                answer.message,
            )
        )

    def _show(self) -> None:
        """How far it is: counts and whether they are right, nothing that must be kept."""
        now = self._deps.clock.now()
        typed = tuple((str(each.field), each.digits, each.is_valid) for each in self._digits.progress())
        self._book.show(CardEntryShown(self._call_id, now, str(self._field), typed))

    async def _ask_customer(self, card_field: CardField) -> None:
        texts = self._deps.card_prompts.get(card_field, {})
        language = self._book.language if self._book.language in texts else next(iter(texts), "")
        if not language:
            return
        self._plays += 1
        try:
            path = await self._deps.prompts.path(PromptText(f"{PROMPT_NAME}.{card_field}", language, texts[language]))
            await self._deps.media.play(self._call_id, CUSTOMER_LEG, f"{CARD_PLAY}-{self._plays}", [path])
        except MediaError as error:
            log.warning("card prompt not played", call_id=self._call_id, error=str(error))
