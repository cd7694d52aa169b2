"""Which of our processes goes first when there are more of them than processors (``nice(2)``).

Audio itself comes before all else (in real time where that is allowed, see ``media``), then whoever writes what calls
wait for, then the calls, then who sees to the audio; consoles, reports and transcripts take what is left. Less than 0
needs ``CAP_SYS_NICE``; without it all are as they were started.
"""

import os
from contextlib import suppress

MEDIA = -5
"""Who keeps audio going: callers hear nothing until a dead worker is noticed. Behind the exchange, which tells it what
nobody waits for: each order would take the processor from calls."""
WRITER = -15
"""The journal's writer: it sleeps but for the disk."""
EXCHANGE = -10
"""What it does for a call is over in a millisecond, and a phone rings that much later."""
SPEECH = 0
"""A program that speaks prompts: it takes long, and what calls need at once has been spoken beforehand."""
WEB = 5
"""A page may wait for a call and never the other way round."""


def go_before(niceness: int, pid: int = 0) -> None:
    """Give a process (0: the first thread of this one, and what it starts from now on) this niceness, where that is
    allowed."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
