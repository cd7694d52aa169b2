"""The nursery's side: it waits for orders, imports what is wanted, and forks.

It has one thread, no event loop, no socket but the line to who gives the orders, and logs nothing, so that what it
forks is what a fresh process is after its imports. The child of an order is made by a process in between that ends at
once: so it becomes the child of who asked (``kinship.adopting``), who waits for it as the parent of any other does,
whatever becomes of the nursery.
"""

import atexit
import contextlib
import gc
import os
import runpy
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

import msgspec

from callcenter.nursery.kinship import die_with_parent
from callcenter.nursery.needs import load, needed
from callcenter.nursery.protocol import BORN, KNOWN, LARGEST_ORDER, READY, REFUSED, Birth
from callcenter.process_titles import show_command

_STANDARD = 3
"""Input, output and error."""
_GO = b"!"
_LONGEST_NUMBER = 32


def serve(line: socket.socket, beforehand: tuple[str, ...]) -> None:
    """Import the modules ``beforehand`` and take orders until the other end of the line is closed."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    load(beforehand)
    decoder = msgspec.msgpack.Decoder(Birth)
    with contextlib.suppress(BrokenPipeError):  # the owner is gone
        line.send(READY)
    while True:
        order, descriptors, _, _ = socket.recv_fds(line, LARGEST_ORDER, _STANDARD)
        if not order:
            return
        try:
            _bear(line, decoder.decode(order), descriptors)
        except (ValueError, OSError) as error:
            line.send(REFUSED + str(error).encode())
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def _bear(line: socket.socket, birth: Birth, descriptors: list[int]) -> None:
    """Fork a process, tell of it, and let it go on once that was heard: nobody lives whom the supervisor does not know,
    also when it waits no longer.

    Raises ``ValueError`` for an order that is none, ``OSError`` when nothing can be forked.
    """
    if len(descriptors) != _STANDARD or birth.command[1:2] != ("-m",):
        raise ValueError("an order is python -m MODULE with three descriptors")
    with contextlib.suppress(Exception):  # whoever is born meets the same, and says so
        load(needed(birth.command))
    if (threads := len(list(Path("/proc/self/task").iterdir()))) != 1:
        raise OSError(f"a module has started threads, so nothing may be forked: {threads}")
    gc.collect()
    gc.freeze()  # the collector of a child would write on, and so copy, every page
    gate, opener = os.pipe()
    named, namer = os.pipe()
    between = os.fork()
    if between == 0:
        os.close(opener)
        os.close(named)
        _stand_between(line, gate, namer, birth, descriptors)
    os.close(gate)
    os.close(namer)
    try:
        os.waitpid(between, 0)
        if not (pid := os.read(named, _LONGEST_NUMBER)):
            raise OSError("the system does not fork")
        line.send(BORN + pid)
        if line.recv(_LONGEST_NUMBER) == KNOWN:
            with contextlib.suppress(BrokenPipeError):  # killed meanwhile
                os.write(opener, _GO)
    finally:
        os.close(named)
        os.close(opener)


def _stand_between(line: socket.socket, gate: int, namer: int, birth: Birth, descriptors: list[int]) -> NoReturn:
    """Fork once more, name the child and end; the child begins once the nursery opens the gate."""
    try:
        if (pid := os.fork()) != 0:
            os.write(namer, str(pid).encode())
            os._exit(0)
        os.close(namer)
        line.close()
        if os.read(gate, 1) != _GO:
            os._exit(1)
        os.close(gate)
    except OSError:
        os._exit(1)
    live(birth, descriptors)


def live(birth: Birth, descriptors: list[int]) -> NoReturn:
    """Be the process that is wanted; it ends here."""
    code: object = 1
    try:
        if birth.dies_with_parent:
            die_with_parent()
        os.setsid() if birth.leads_session else os.setpgrp()
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            if descriptor >= _STANDARD:
                os.close(descriptor)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(birth.folder)
        os.environ.clear()
        os.environ.update(birth.environment)
        time.tzset()
        show_command(birth.command)
        sys.argv = list(birth.command[1:2] + birth.command[3:])
        runpy.run_module(birth.command[2], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody caught
        traceback.print_exc()
    leave(code)


def leave(code: object) -> NoReturn:
    """End as ``SystemExit`` with this code would, but leave the memory to the kernel instead of clearing it away."""
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter calls; without it, it would have to be left
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit((code or 0) & 0xFF)
