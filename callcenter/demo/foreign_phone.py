"""A phone of another make for one simulated agent: pyVoIP, one thread per call, its own idea of SIP.

It answers every call, plays the agents' tone, and prints one JSON line for each call with whether the caller was heard.
Only this module may import pyVoIP (GPL-3, extra ``phones``); it runs as a process of its own.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from pyVoIP.VoIP import CallState, InvalidStateError, VoIPPhone

from callcenter.demo.company import PASSWORD_VARIABLE
from callcenter.nursery.kinship import die_with_parent

FOREIGN_HOST = "127.0.0.4"
FRAME_SAMPLES = 160
SAMPLE_RATE = 8000
AGENT_TONE_HZ = 620.0
AUDIBLE = 8.0
"""Mean distance from silence of pyVoIP's 8-bit unsigned samples above which a frame was heard."""
FRAMES_TO_HEAR = 25


@contextlib.contextmanager
def unblocked_while_locked(lock: threading.Lock, sock: socket.socket) -> Iterator[None]:
    """pyVoIP 1.6 makes its socket blocking again after it let go of the lock: a call that begins in between fails
    with ``BlockingIOError``. Here the socket is blocking again before anybody else may have it."""
    with lock:
        sock.setblocking(False)
        try:
            yield
        finally:
            sock.setblocking(True)


def tone(seconds: float) -> bytes:
    """The agents' tone as 8-bit unsigned linear samples, pyVoIP's audio format."""
    moments = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return bytes((128 + 60 * np.sin(2 * np.pi * AGENT_TONE_HZ * moments)).astype(np.uint8))


def is_audible(frame: bytes) -> bool:
    """Whether a frame holds more than silence."""
    samples = np.frombuffer(frame, dtype=np.uint8).astype(np.int16) - 128
    return bool(samples.size) and float(np.abs(samples).mean()) > AUDIBLE


def talk(call: Any, login: str, answer_after: tuple[float, float]) -> None:
    """Live one call in pyVoIP's thread."""
    caller = str(call.request.headers["From"]["number"])
    heard = reported = 0
    try:
        time.sleep(random.uniform(*answer_after))  # noqa: S311 - manners, not secrets
        call.answer()
        sound = tone(1.0)
        written = time.monotonic()
        call.write_audio(sound)
        while call.state is CallState.ANSWERED:
            heard += is_audible(call.read_audio(FRAME_SAMPLES, blocking=True))
            if heard >= FRAMES_TO_HEAR and not reported:
                reported = report(agent=login, caller=caller, heard=True)
            if time.monotonic() - written > 0.9:
                written = time.monotonic()
                call.write_audio(sound)
    except InvalidStateError:
        pass
    if not reported:
        report(agent=login, caller=caller, heard=False)


def report(**fields: object) -> int:
    """Print one line; returns 1."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()
    return 1


def main(arguments: argparse.Namespace) -> None:
    """Serve until the process is ended."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    sys.modules["pyVoIP.SIP"].acquired_lock_and_unblocked_socket = unblocked_while_locked  # type: ignore[attr-defined]
    answer_after = (0.05, 0.15) if arguments.fast else (1.5, 4.0)
    phone = VoIPPhone(
        "127.0.0.1",
        arguments.sip_port,
        arguments.login,
        os.environ[PASSWORD_VARIABLE],
        myIP=FOREIGN_HOST,
        sipPort=free_port(),
        rtpPortLow=13000,
        rtpPortHigh=13200,
        callCallback=lambda call: talk(call, arguments.login, answer_after),
    )
    phone.start()
    ended.wait()
    os._exit(0)  # its own stop() waits for threads that wait for packets


def free_port() -> int:
    """A port of this phone's address that nobody has: two demos may run on one machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((FOREIGN_HOST, 0))
        return int(probe.getsockname()[1])


def parse_arguments() -> argparse.Namespace:
    """The process's arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--login", required=True)
    parser.add_argument("--sip-port", type=int, required=True)
    parser.add_argument("--fast", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    die_with_parent()
    main(parse_arguments())
