"""A payment system in memory."""

from collections.abc import Callable, Coroutine
from typing import Any

from callcenter.payments.fields import wipe
from callcenter.payments.port import PaymentAnswer, PaymentOrder


async def _at_once() -> None:
    """Answer without delay."""


class FakePayments:
    """Implements ``Payments``. ``got`` is what came, as text; ``wait`` may hold an answer back."""

    def __init__(self, answer: PaymentAnswer | None = None) -> None:
        self.answer = answer or PaymentAnswer("stored", "tok_1", "1111", "Card stored")
        self.got: list[dict[str, str]] = []
        self.orders: list[PaymentOrder] = []
        self.wait: Callable[[], Coroutine[Any, Any, None]] = _at_once

    async def submit(self, order: PaymentOrder) -> PaymentAnswer:
        """See ``Payments.submit``."""
        self.orders.append(order)
        self.got.append({str(name): digits.decode() for name, digits in order.fields.items()})
        wipe(order.fields)
        await self.wait()
        return self.answer
