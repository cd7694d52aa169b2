"""How evenly a simulation spread the work over agents who are alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from acd.simulator_books import Book
from acd.simulator_results import GroupFigures
from acd.simulator_scenario import AgentGroup

_Array = np.ndarray[Any, np.dtype[np.int64]]


def group_figures(
    groups: Sequence[AgentGroup],
    books: Sequence[Book],
    times: Sequence[tuple[int, int]],
    offers: Sequence[tuple[int, int]],
) -> tuple[GroupFigures, ...]:
    """The figures of each group. Agents are numbered through all groups, in order. ``times`` are those with contacts
    and in wrap-up, and those staffed; ``offers`` how many there were, and how many rang out.
    """
    columns = [[np.asarray(record, np.int64) for record in _conversations(book)] for book in books]
    agents, starts, lengths = (np.concatenate(column) for column in zip(*columns, strict=True))
    taken = agents >= 0
    agents, starts, lengths = agents[taken], starts[taken], lengths[taken]
    order = np.lexsort((starts, agents))
    agents, starts, lengths = agents[order], starts[order], lengths[order]
    total = sum(group.count for group in groups)
    work = np.bincount(agents, weights=lengths, minlength=total)
    contacts = np.bincount(agents, minlength=total)
    same = agents[1:] == agents[:-1]
    gaps, gap_of = np.maximum(0, (starts[1:] - starts[:-1] - lengths[:-1])[same]), agents[1:][same]
    figures, first = [], 0
    for group, (busy, staffed), (rung, rang_out) in zip(groups, times, offers, strict=True):
        last = first + group.count
        figures.append(
            GroupFigures(
                name=group.name,
                served=int(contacts[first:last].sum()),
                occupancy_spread=_spread(work[first:last]),
                idle_spread=_spread(gaps[(gap_of >= first) & (gap_of < last)]),
                agents=group.count,
                occupancy=busy / staffed if staffed else 0.0,
                staffed_hours=staffed / 3_600_000,
                offers=rung,
                rang_out=rang_out,
            )
        )
        first = last
    return tuple(figures)


def _conversations(book: Book) -> tuple[_Array, _Array, _Array]:
    """Who took each contact, when, and for how long."""
    starts = np.asarray(book.starts, np.int64)
    if not len(starts):
        starts = np.asarray(book.instants, np.int64) + np.asarray(book.waits, np.int64)
    return np.asarray(book.agents, np.int64), starts, np.asarray(book.handles)


def _spread(values: "np.ndarray[Any, np.dtype[Any]]") -> float:
    mean = float(values.mean()) if len(values) else 0.0
    return float(values.std()) / mean if mean else 0.0
