"""What a process built at its start stays: the collector of cycles passes it over, and it lies on large pages.

Each event of a call meets code and data that others pushed out of the caches meanwhile, so much of what it costs is
finding memory again: on pages of 4 KiB tens of thousands of addresses have to be looked up, on those of 2 MiB dozens.
"""

import ctypes
import gc
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

COLLECT_AFTER = 10_000
"""Objects more than before that start a collection of the young ones; 700 of them are the leg of a call."""
SETTINGS = Path("/sys/kernel/mm/transparent_hugepage")
MAPS = Path("/proc/self/maps")
MADV_COLLAPSE = 25
"""Linux 6.1: put this range on large pages now."""
_OWN = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0\s*(?:\[heap\]\s*)?$")
"""Private memory without a file that may be written: the heap and what else was asked for, no stack."""


def keep_for_good() -> None:
    """What is there now stays; a call makes and drops thousands of objects that need no collector.

    Memory moves to large pages in a thread, a page at a time, without the interpreter: who has just come back from a
    death is not kept from answering for the third of a second that all of it takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)
    threading.Thread(target=use_large_pages, name="large pages", daemon=True).start()


def use_large_pages() -> int:
    """Move what memory there is to large pages; how many that are, 0 where the system has none or is told not to."""
    with suppress(OSError, ValueError):
        if sys.platform == "linux" and "[never]" not in (SETTINGS / "enabled").read_text("ascii"):
            size = int((SETTINGS / "hpage_pmd_size").read_text("ascii"))
            return _collapse(large_pages(MAPS.read_text("utf-8").splitlines(), size), size)
    return 0


def large_pages(maps: Iterable[str], size: int) -> Iterator[int]:
    """Where large pages of this size fit into our own memory, by the lines of ``/proc/self/maps``."""
    for line in maps:
        if own := _OWN.match(line):
            begin, end = (int(each, 16) for each in own.groups())
            yield from range(begin + -begin % size, end - end % size, size)


def _collapse(addresses: Iterable[int], size: int) -> int:
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return sum(madvise(address, size, MADV_COLLAPSE) == 0 for address in addresses)
