"""The nursery: a process that is all that a worker is before it has work, and forks one whenever the keeper asks.

Starting Python and importing NumPy takes most of a second, and several on a crowded machine, while callers hear
nothing; a fork takes milliseconds. It has one thread, touches no audio and holds no socket of a call.
"""

import argparse
import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys

import msgspec

from callcenter.logs import configure_logs
from callcenter.media.mediad.births import BORN, READY, nursery_command
from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.settings import Birth, RelayLoop
from callcenter.media.mediad.worker import warm_up, was_compiled_now, work

_LARGEST_ORDER = 4096
_PR_SET_NAME = 15


def serve(line: socket.socket, loop: RelayLoop) -> None:
    """Fork workers until the keeper goes away. Each order is a ``Birth`` with the control socket and the checkpoint;
    the answer is ``BORN`` with a descriptor of the child (pidfd), and its number after that. ``loop`` is loaded."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead; the keeper watches by descriptor
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    line.send(READY)
    decoder = msgspec.msgpack.Decoder(Birth)
    while True:
        data, descriptors, _, _ = socket.recv_fds(line, _LARGEST_ORDER, 2)
        if not data:
            return
        control, checkpoint = descriptors
        pid = os.fork()
        if pid == 0:
            line.close()
            _live(socket.socket(fileno=control), checkpoint, msgspec.structs.replace(decoder.decode(data), loop=loop))
        try:
            child = os.pidfd_open(pid)
            socket.send_fds(line, [BORN + str(pid).encode()], [child])
            os.close(child)
        except ProcessLookupError:
            line.send(BORN)  # dead already
        os.close(control)
        os.close(checkpoint)


def _live(control: socket.socket, checkpoint: int, birth: Birth) -> None:
    """A worker's life; it ends here, whatever happens."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_NAME, b"rtp-worker")
        work(control, Checkpoint(checkpoint, birth.slots), birth, warm=True)
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    """Run the nursery; started by the keeper only."""
    parser = argparse.ArgumentParser(description="forks RTP workers, started by mediad")
    parser.add_argument("--line", type=int, required=True)
    parser.add_argument("--loop", required=True)
    parser.add_argument("--again", action="store_true", help="it has just been compiled")
    given = parser.parse_args()
    configure_logs("media")
    come_up(socket.socket(fileno=given.line), given.loop, again=given.again)


def come_up(line: socket.socket, wanted: RelayLoop, *, again: bool = False) -> None:
    """Load what workers need, and serve. ``again``: it has just been compiled, by this process before it was executed
    anew."""
    loop = warm_up(wanted)
    if loop == "compiled" and was_compiled_now() and not again:  # a compiler leaves 50 MB that it used
        line.set_inheritable(True)
        os.execv(sys.executable, [*nursery_command(line, wanted), "--again"])  # noqa: S606 - itself
    serve(line, loop)


if __name__ == "__main__":
    main()
