"""Who is whose parent, as far as the kernel can be asked (``prctl(2)``)."""

import contextlib
import ctypes
import signal
import threading
from collections.abc import Iterator

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_adopting = threading.Lock()


def die_with_parent() -> None:
    """Have the kernel end this process (SIGTERM) when its parent dies: a killed supervisor leaves no orphans."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Meanwhile a descendant whose parent ends becomes a child of this process. For a birth and no longer: we wait for
    no orphans of other times. Raises ``OSError`` where the system has no such thing."""
    libc = ctypes.CDLL(None)
    with _adopting:
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError("this system gives nobody the children of others (PR_SET_CHILD_SUBREAPER)")
        try:
            yield
        finally:
            libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
