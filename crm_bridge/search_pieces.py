"""PostgreSQL's index of the search texts, read from the newest customers to the oldest. The pure part.

``pg_trgm`` gives the hits of a group of three characters all at once, however many there are. So the index has a second
column: the customer's id cut to some lengths, each of which names a block of time, from a second to half a year (ids
begin with the instant at which they were made). Asked for a group *and* some blocks, the index skips in the list of the
group to where the blocks are: a piece of the store is searched in a tenth of a millisecond, and a search goes from
piece to piece until its page is full.

Where one piece ends and the next begins is told by the planner's statistics, which cut all ids into parts of equally
many. They need not be right: pieces cover all ids whatever the statistics say, and a question names the exact ids
beside the blocks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

PIECES = 400
"""How many parts the statistics cut the store into: 25,000 customers of ten million in each."""
BLOCK_BITS = (32, 36, 40, 44, 48, 52, 56)
"""Low bits of an id that a block does without: 32 of them are a second, each four more sixteen times as long."""
BLOCKS = f"(ARRAY[{', '.join(f'customer_id >> {bits}' for bits in BLOCK_BITS)}])"
"""The blocks of a customer, as the index and a question write them. Two blocks of different lengths may have one name:
the exact ids tell them apart."""
INDEX = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    (
        f"CREATE INDEX ix_search_text_blocks ON search_text USING gin ({BLOCKS}, text gin_trgm_ops) "
        "WITH (gin_pending_list_limit = 128)"
    ),
    f"ALTER TABLE search_text ALTER COLUMN customer_id SET STATISTICS {PIECES}",
    "ALTER TABLE search_text SET (autovacuum_analyze_scale_factor = 0.02)",
)
"""Few rows may wait to be sorted into the index, because each piece looks through those; and the statistics are renewed
as soon as one customer in fifty is new."""

_FRESH = 16
"""Into how many pieces is cut what is newer than the statistics."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Customers with ids from ``since`` on and less than ``below``, and blocks that contain them."""

    since: int
    below: int
    blocks: tuple[int, ...]


def pieces(oldest: int, below: int, bounds: Sequence[int]) -> list[Piece]:
    """All ids from ``oldest`` on and less than ``below``, cut near the rising ``bounds``, the newest first."""
    if below <= oldest:
        return []
    cuts = dict.fromkeys(_at_a_block(bound) for bound in bounds)
    edges = [oldest, *(cut for cut in cuts if oldest < cut < below)]
    edges += _cut(edges[-1], below, edges[-1] - edges[-2] if len(edges) > 1 else below - oldest)
    lengths = [end - start for start, end in pairwise(edges)]
    found = []
    for place in range(len(lengths) - 1, -1, -1):
        before = lengths[max(place - 1, 0)]
        after = lengths[min(place + 1, len(lengths) - 1)]
        since, end, own = edges[place], edges[place + 1], lengths[place]
        found.append(Piece(since, end, _covering(since, end, min(own, before), min(own, after))))
    return found


def _cut(since: int, below: int, usual: int) -> list[int]:
    """Ends of pieces of the ``usual`` length, or longer ones if those were too many."""
    step = _at_a_block(max((below - since) // _FRESH, usual)) or below - since
    return [*range(since + step, below, step), below]


def _at_a_block(some_id: int) -> int:
    return some_id >> BLOCK_BITS[0] << BLOCK_BITS[0]


@lru_cache(maxsize=4 * PIECES)
def _covering(since: int, below: int, early: int, late: int) -> tuple[int, ...]:
    """Few blocks that contain these ids, and where it can be none that begins more than ``early`` before them or ends
    more than ``late`` after them: what lies beside a piece may be far denser."""
    return tuple(_blocks(since, below, since - early, below + late))


def _blocks(since: int, below: int, lowest: int, highest: int) -> Iterator[int]:
    while since < below:
        for bits in reversed(BLOCK_BITS):
            block = since >> bits
            end = (block + 1) << bits
            if bits == BLOCK_BITS[0] or (block << bits >= lowest and end <= highest):
                yield block
                since = end
                break
