"""What a customer store must say of who every contact belongs to, worked out without a store.

A second account of the same rules in plain dictionaries: the newest word of the journal about a contact counts; who is
named in it (or whoever that customer has become part of) owns the contact; else whoever owned it before; else the one
customer who has the number. A merge moves what the one has to the other, and undoing moves back what is still there.
"""

from dataclasses import dataclass, field

from crm_bridge.interactions import InteractionRecord

Line = tuple[object, ...]
"""Of a timeline: instant, kind, and what the entry says."""


@dataclass(slots=True)
class _Contact:
    record: InteractionRecord
    owner: int | None


@dataclass(slots=True)
class _Merge:
    survivor: int
    merged: int
    contacts: frozenset[str]
    notes: frozenset[str]
    numbers: frozenset[str]
    is_undone: bool = False


@dataclass(slots=True)
class TimelineModel:
    """The store as it should be. Customers are the ids that the store gave them."""

    numbers: dict[int, set[str]] = field(default_factory=dict)
    notes: dict[str, tuple[int, Line]] = field(default_factory=dict)
    contacts: dict[str, _Contact] = field(default_factory=dict)
    merges: list[_Merge] = field(default_factory=list)
    part_of: dict[int, int] = field(default_factory=dict)

    def enter(self, customer: int, *numbers: str) -> None:
        """A new customer; contacts of nobody with a number that is this customer's alone become the customer's."""
        self.numbers[customer] = set(numbers)
        for contact in self.contacts.values():
            if contact.owner is None and contact.record.from_value in numbers:
                contact.owner = self._owner_of(contact.record.from_value)

    def tell(self, record: InteractionRecord) -> None:
        """The journal says something about a contact."""
        known = self.contacts.get(record.contact_id)
        if known is not None and known.record.journal_seq >= record.journal_seq:
            return
        owner = known.owner if known is not None else None
        if record.customer_id is not None:
            owner = self.survivor(record.customer_id)
        elif owner is None:
            owner = self._owner_of(record.from_value)
        self.contacts[record.contact_id] = _Contact(record, owner)

    def note(self, customer: int, body: str, line: Line) -> None:
        """Somebody writes a note."""
        self.notes[body] = (customer, line)

    def survivor(self, customer: int) -> int:
        """Whom a customer has become part of in the end; itself when of nobody."""
        while customer in self.part_of:
            customer = self.part_of[customer]
        return customer

    def merge(self, survivor: int, merged: int) -> None:
        """``merged`` becomes part of ``survivor``."""
        move = _Merge(
            survivor,
            merged,
            frozenset(key for key, each in self.contacts.items() if each.owner == merged),
            frozenset(body for body, (owner, _) in self.notes.items() if owner == merged),
            frozenset(self.numbers[merged] - self.numbers[survivor]),
        )
        self._move(move, merged, survivor)
        self.part_of[merged] = survivor
        self.merges.append(move)

    def can_be_undone(self) -> list[int]:
        """Places of the merges that may be taken back now."""
        return [n for n, each in enumerate(self.merges) if not each.is_undone and each.survivor not in self.part_of]

    def undo(self, place: int) -> None:
        """Take a merge back."""
        move = self.merges[place]
        move.is_undone = True
        self._move(move, move.survivor, move.merged)
        del self.part_of[move.merged]

    def timeline(self, customer: int) -> list[Line]:
        """Contacts and notes of a customer, in no order."""
        return [
            (each.record.started_at, "interaction", key, each.record.channel, each.record.agent_id, each.record.talk_ms)
            for key, each in self.contacts.items()
            if each.owner == customer
        ] + [line for owner, line in self.notes.values() if owner == customer]

    def _owner_of(self, number: str) -> int | None:
        living = [each for each, numbers in self.numbers.items() if number in numbers and each not in self.part_of]
        return living[0] if len(living) == 1 else None

    def _move(self, move: _Merge, giver: int, taker: int) -> None:
        for key in move.contacts:
            if self.contacts[key].owner == giver:
                self.contacts[key].owner = taker
        for body in move.notes:
            owner, line = self.notes[body]
            self.notes[body] = (taker if owner == giver else owner, line)
        for number in move.numbers & self.numbers[giver]:
            self.numbers[giver].discard(number)
            self.numbers[taker].add(number)
