"""When the exchange looks for cycles of garbage: in a quiet moment, since everybody waits for it.

Calls leave no cycles (``CallRunner.part``), so there is next to nothing to find. But the interpreter looks whenever
there are so many objects more than before, which under load is in the midst of calls: 10,000 young objects took 8 ms of
CPU, several times a second, and 100,000 took 50 ms.
"""

import asyncio
import gc
from collections.abc import Callable

LOOK_SECONDS = 0.1
"""So long nothing was written to the journal: a quiet moment. At 35 commits a second, one moment in thirty is."""
WORTH_COLLECTING = 10_000
"""Objects more than before; 700 of them are the leg of a call."""
NEVER_QUIET = 2_000_000
"""Objects more than before at which the interpreter looks all the same. A call leaves about 106 for half a minute,
SIP's transactions: 300 calls a second make a million."""
ALL_AFTER = 10
"""Every so many times what was there at earlier looks is looked at again."""


class QuietCollector:
    """Collects while nothing happens. ``progress`` is a number that is another one when something happened."""

    def __init__(self, progress: Callable[[], int]) -> None:
        self._progress = progress
        self._seen = progress()

    async def run(self) -> None:
        """Take over from the interpreter, until cancelled."""
        before = gc.get_threshold()
        gc.set_threshold(NEVER_QUIET, *before[1:])
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                self.look()
        finally:
            gc.set_threshold(*before)

    def look(self) -> bool:
        """Collect if nothing happened since the last look and there is enough; whether it did."""
        before, self._seen = self._seen, self._progress()
        young, _, looks = gc.get_count()
        if before != self._seen or young < WORTH_COLLECTING:
            return False
        gc.collect(2 if looks >= ALL_AFTER else 1)
        return True
