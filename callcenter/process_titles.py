"""The command line by which others see this process (``ps``, ``/proc/PID/cmdline``), for one that was forked.

A forked process keeps the command line of the one it came from, wherefore all of an installation would look alike. The
kernel reads the line from our memory; ``prctl(2)``, ``PR_SET_MM_MAP`` says where it lies.
"""

import ctypes
import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_PR_SET_NAME = 15
_PR_SET_MM = 35
_PR_SET_MM_MAP = 14
_STAT = Path("/proc/self/stat")
_NAME_OCTETS = 15


class _MemoryMap(ctypes.Structure):
    """``struct prctl_mm_map`` of ``linux/prctl.h``."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in ("start_code", "end_code", "start_data", "end_data", "start_brk", "brk")),
        *((name, ctypes.c_uint64) for name in ("start_stack", "arg_start", "arg_end", "env_start", "env_end")),
        ("auxv", ctypes.c_void_p),
        ("auxv_size", ctypes.c_uint32),
        ("exe_fd", ctypes.c_uint32),
    ]


_FIELDS = {
    26: "start_code", 27: "end_code", 28: "start_stack", 45: "start_data", 46: "end_data", 47: "start_brk",
    48: "arg_start", 49: "arg_end", 50: "env_start", 51: "env_end",
}  # fmt: skip
"""Of ``/proc/self/stat``, counted as proc(5) does."""
_held: list[mmap.mmap] = []
"""The memory that the kernel reads; the last one counts."""


def show_command(command: Sequence[str]) -> bool:
    """Be seen with this command line. ``False`` where the kernel has no such thing: then all stays as it was."""
    libc = ctypes.CDLL(None, use_errno=True)
    with suppress(OSError, ValueError, AttributeError):
        libc.prctl(_PR_SET_NAME, Path(command[0]).name.encode()[:_NAME_OCTETS], 0, 0, 0)
        line = b"".join(os.fsencode(word) + b"\0" for word in command)
        memory = mmap.mmap(-1, len(line), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.write(line)
        found = _as_it_is(libc)
        found.arg_start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        found.arg_end = found.arg_start + len(line)
        told = libc.prctl(_PR_SET_MM, _PR_SET_MM_MAP, ctypes.byref(found), ctypes.c_ulong(ctypes.sizeof(found)), 0)
        if told == 0:
            _held[:] = [memory]
            return True
    return False


def _as_it_is(libc: ctypes.CDLL) -> _MemoryMap:
    """Where everything lies now. Raises ``OSError`` or ``ValueError`` where the system does not say."""
    after_name = _STAT.read_text("utf-8", errors="replace").rpartition(")")[2].split()
    found = _MemoryMap(exe_fd=0xFFFFFFFF)
    for number, name in _FIELDS.items():
        setattr(found, name, int(after_name[number - 3]))
    libc.sbrk.restype = ctypes.c_void_p
    found.brk = libc.sbrk(ctypes.c_long(0))
    return found
