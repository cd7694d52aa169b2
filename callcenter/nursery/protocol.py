"""What supervisor and nursery say to each other, over a socket that keeps messages apart (``SOCK_SEQPACKET``)."""

import msgspec

READY = b"ready"
"""The nursery has imported what it was told to, and takes orders."""
BORN = b"born"
"""There is a process, with this number after the word: a child of whoever asked, by now."""
KNOWN = b"known"
"""Who asked knows the process: it may begin. One that is given up before this word ends without having begun."""
REFUSED = b"refused"
"""Nothing was forked, with the reason after the word."""
LARGEST_ORDER = 1 << 20


class Birth(msgspec.Struct, frozen=True, array_like=True):
    """A process that is wanted. With it go descriptors: standard input, output and error."""

    command: tuple[str, ...]
    """Interpreter, ``-m``, module, arguments: what would be executed if there were no nursery."""
    environment: dict[str, str]
    folder: str
    """The working directory."""
    leads_session: bool = False
    """Whether it leads a session of its own; else a process group."""
    dies_with_parent: bool = False
    """Whether the kernel ends it when its parent dies, from its first instant; most see to that themselves."""
