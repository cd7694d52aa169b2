"""The port to a site's payment system: it gets the digits once and answers what the agent may know."""

from dataclasses import dataclass, field
from typing import Protocol

from callcenter.payments.fields import CardField


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """Card data of one customer. ``fields`` hold ASCII digits that the receiver overwrites as soon as they are sent."""

    request_id: str
    """Unique; the same card data never comes twice."""
    call_id: str
    contact_id: str
    agent_id: str
    queue_id: str
    fields: dict[CardField, bytearray] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaymentAnswer:
    """What came of it. ``result`` is the payment system's own word, or one of ours that begins with ``failed_``."""

    result: str
    token: str = ""
    """What the payment system calls this card from now on."""
    last4: str = ""
    message: str = ""
    """For the agent."""

    @property
    def has_failed(self) -> bool:
        """Whether the payment system did not answer; what it did is not known."""
        return self.result.startswith("failed_")


class Payments(Protocol):
    """Where card data goes."""

    async def submit(self, order: PaymentOrder) -> PaymentAnswer:
        """Hand card data over, once, within a deadline of its own.

        Never raises: a neighbour that is slow, dead or lying is an answer, too. The order's digits are gone when this
        returns.
        """
        ...
