"""A line: who is next, by a key that never changes while one stands in it."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=str)
Key = tuple[int, ...]

SLACK = 64
"""Removed entries a line may carry beyond three times its length before it is swept: removal stays O(1) amortised."""


class Line(Generic[Item]):
    """Items ordered by key, smallest first; equal keys cannot occur because every key ends in a unique number.

    Adding costs O(log n), looking at the head and removing anybody O(1) amortised: a removed item stays in the heap
    until it reaches the head or the line is swept.
    """

    __slots__ = ("_heap", "head", "live")

    def __init__(self) -> None:
        self._heap: list[tuple[Key, Item]] = []
        self.live: dict[Item, tuple[Key, Item]] = {}
        """Who stands in line, in no order. Changed by this class alone; open, because asking through a method costs
        more than the question."""
        self.head: tuple[Key, Item] | None = None
        """The first in line. Kept up to date on every change, because it is read far more often."""

    def __len__(self) -> int:
        return len(self.live)

    def __contains__(self, item: object) -> bool:
        return item in self.live

    def __iter__(self) -> Iterator[tuple[Key, Item]]:
        return iter(self.live.values())

    def add(self, key: Key, item: Item) -> None:
        """Let ``item`` stand in line at ``key``, and nowhere else."""
        if item in self.live:
            self.remove(item)
        entry = (key, item)
        self.live[item] = entry
        heappush(self._heap, entry)
        if self.head is None or entry < self.head:
            self.head = entry

    def remove(self, item: Item) -> None:
        """Let ``item`` leave; harmless when it is not in line."""
        entry = self.live.pop(item, None)
        if entry is None:
            return
        if entry is self.head:
            heappop(self._heap)  # the head is the first there
            self._find_head()
        elif len(self._heap) > 3 * len(self.live) + SLACK:
            self._heap = list(self.live.values())
            heapify(self._heap)

    def entry(self, item: Item) -> tuple[Key, Item] | None:
        """The item with its key, ``None`` when it is not in line."""
        return self.live.get(item)

    def first(self, barred: Collection[Item]) -> tuple[Key, Item] | None:
        """The first in line that is not barred. Costs O(log n) for each barred item ahead of it."""
        aside = []
        while self.head is not None and self.head[1] in barred:
            aside.append(self.head)
            heappop(self._heap)
            self._find_head()
        found = self.head
        for entry in aside:
            heappush(self._heap, entry)
        self.head = aside[0] if aside else found
        return found

    def _find_head(self) -> None:
        heap = self._heap
        while heap:
            first = heap[0]
            if self.live.get(first[1]) is first:
                self.head = first
                return
            heappop(heap)
        self.head = None


class PlacedLine(Line[Item]):
    """A line with a place among others of its kind: ``bit`` stands for it in a bitset."""

    __slots__ = ("bit",)

    def __init__(self, bit: int) -> None:
        super().__init__()
        self.bit = bit


class Roster(Generic[Item]):
    """Items in the order of their keys, of which any may be called by its place. Adding and removing move what follows
    (a few microseconds at 10,000), which is nothing for keys that mostly grow.
    """

    __slots__ = ("_entries", "_keys")

    def __init__(self) -> None:
        self._entries: list[tuple[Key, Item]] = []
        self._keys: dict[Item, Key] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: object) -> bool:
        return item in self._keys

    def entry(self, item: Item) -> tuple[Key, Item] | None:
        """The item with its key, ``None`` when it is not listed."""
        key = self._keys.get(item)
        return None if key is None else (key, item)

    def __getitem__(self, place: int) -> tuple[Key, Item]:
        return self._entries[place]

    def add(self, key: Key, item: Item) -> None:
        """Put ``item`` where ``key`` says, and nowhere else."""
        self.remove(item)
        self._keys[item] = key
        insort(self._entries, (key, item))

    def remove(self, item: Item) -> None:
        """Strike ``item`` out; harmless when it is not listed."""
        key = self._keys.pop(item, None)
        if key is not None:
            del self._entries[bisect_left(self._entries, (key, item))]
