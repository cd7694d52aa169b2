"""Relayed and mixed calls through a real ``mediad``: loss, added delay, CPU.

Run as ``python -m tests.bench.bench_media --calls 50 --seconds 5 [--mixed | --music] [--recorded [--sealed]]``.
Generator and media share the machine; the delay is the kernel's receive time minus the clock just before sending, both
at the generator. Packets carry their send time in the payload; a mixed payload does not survive, so with ``--mixed``
and ``--music`` only frames and CPU are told. With ``--recorded`` every call is recorded into a temporary folder,
encrypted with ``--sealed``.
"""

import argparse
import asyncio
import os
import platform
import random
import select
import socket
import struct
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.media.music import music_path
from callcenter.media.recordings import ensure_key_file
from callcenter.media.rtp import RtpPacket, pack, parse
from callcenter.media.sdp import AgreedAudio, LocalStream, build_answer, build_offer, read_answer, read_offer
from callcenter.ports import RecordingAction, RecordingFinished, Route
from tests.support.media_contract import PROFILE
from tests.support.mediad_process import MediaProcess, running_mediad

_STAMP = struct.Struct("!Id")
_MAGIC = 0x5A5A1234
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")


@dataclass(slots=True)
class BenchLeg:
    """One far end: its socket and where it sends."""

    sock: socket.socket
    audio: AgreedAudio
    sequence: int = 0


@dataclass(slots=True)
class BenchFigures:
    """What came back."""

    sent: int = 0
    received: int = 0
    delays: list[float] = field(default_factory=list)


def _open() -> tuple[socket.socket, LocalStream]:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return sock, LocalStream("127.0.0.1", sock.getsockname()[1], 1, 1)


async def _connect(media: MediaProcess, number: int, *, mixed: bool) -> list[BenchLeg]:
    session_id = f"bench-{number}"
    await media.plane.create(session_id)
    sock, local = _open()
    answer = await media.plane.answer_offer(session_id, "a", build_offer(local), PROFILE)
    caller = BenchLeg(sock, read_answer(answer))
    sock, local = _open()
    offer = read_offer(await media.plane.make_offer(session_id, "b"))
    await media.plane.accept_answer(session_id, "b", build_answer(offer, local), PROFILE)
    gain = -1.0 if mixed else 0.0
    await media.plane.route(session_id, [Route("a", "b", gain), Route("b", "a", gain)])
    return [caller, BenchLeg(sock, offer.audio)]


def _exchange(legs: list[BenchLeg], seconds: float, warm_up: float) -> BenchFigures:
    """Send from every leg every 20 ms, in random phases, and collect what the others get."""
    figures = BenchFigures()
    poll = select.epoll()
    by_descriptor = {leg.sock.fileno(): leg for leg in legs}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.EPOLLIN)
    begin = time.time() + 0.1
    counted_from, end = begin + warm_up, begin + warm_up + seconds
    due = sorted((begin + random.random() * 0.02, index) for index in range(len(legs)))
    position = 0
    while (now := time.time()) < end + 0.3:
        while now < end and due[position][0] <= now:
            at, index = due[position]
            due[position] = (at + 0.02, index)
            position = (position + 1) % len(due)
            _send(legs[index], now)
            figures.sent += now >= counted_from
        pause = due[position][0] - now if now < end else 0.05
        for descriptor, _ in poll.poll(max(0.0, min(pause, 0.005)), 512):
            _receive(by_descriptor[descriptor].sock, figures, counted_from, end)
    poll.close()
    return figures


def _send(leg: BenchLeg, now: float) -> None:
    leg.sequence += 1
    payload = _STAMP.pack(_MAGIC, now) + b"\xd0" * (160 - _STAMP.size)
    packet = RtpPacket(leg.audio.send_payload_type, leg.sequence & 0xFFFF, leg.sequence * 160 & 0xFFFFFFFF, 1, payload)
    leg.sock.sendto(pack(packet), (leg.audio.address, leg.audio.port))


def _receive(sock: socket.socket, figures: BenchFigures, counted_from: float, end: float) -> None:
    while True:
        try:
            data, ancillary, _, _ = sock.recvmsg(2048, 64)
        except BlockingIOError:
            return
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2][: _TIMESPEC.size])
        now = seconds + nanoseconds / 1e9
        packet = parse(data)
        if packet is None or len(packet.payload) != 160:
            continue
        magic, sent_at = _STAMP.unpack_from(packet.payload)
        if magic == _MAGIC and sent_at >= counted_from:
            figures.received += 1
            figures.delays.append(now - sent_at)
        elif magic != _MAGIC and counted_from <= now < end:
            figures.received += 1


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _hold(media: MediaProcess, number: int, music: str) -> list[BenchLeg]:
    """A caller who waits with music; sends like everybody else and is heard by nobody."""
    session_id = f"bench-{number}"
    await media.plane.create(session_id)
    sock, local = _open()
    answer = await media.plane.answer_offer(session_id, "a", build_offer(local), PROFILE)
    await media.plane.play(session_id, "a", "music", [music], loop=True)
    return [BenchLeg(sock, read_answer(answer))]


async def _record(media: MediaProcess, calls: int) -> None:
    for number in range(calls):
        await media.plane.record(f"bench-{number}", str(number), RecordingAction.START, left="a", right="b")


async def _tell_recordings(media: MediaProcess, calls: int) -> None:
    """Wait until all recordings are on disk and print how whole they are."""
    for number in range(calls):
        await media.sink.finished(str(number), seconds=60)
    finished = [event for event in media.sink.recordings if isinstance(event, RecordingFinished)]
    marks = Counter(event.truncated or "whole" for event in finished)
    print(f"recordings: {dict(marks)}, shortest {min(event.duration_ms for event in finished) / 1000:.1f} s")


async def main() -> None:
    """Run one measurement and print it."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-media-") as folder:
        options = ["--standby", "0"]
        if given.no_realtime:
            options.append("--no-realtime")
        if given.recorded:
            options += ["--recordings", f"{folder}/recordings"]
        if given.sealed:
            ensure_key_file(Path(folder) / "key")
            options += ["--recording-key", f"{folder}/key"]
        async with running_mediad(*options) as media:
            await _measure(media, given, await asyncio.to_thread(music_path, folder))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--mixed", action="store_true", help="through the mixer instead of the relay")
    parser.add_argument("--music", action="store_true", help="single callers who wait with music")
    parser.add_argument("--recorded", action="store_true", help="record every call")
    parser.add_argument("--sealed", action="store_true", help="with --recorded: encrypted")
    parser.add_argument("--no-realtime", action="store_true")
    return parser.parse_args()


async def _measure(media: MediaProcess, given: argparse.Namespace, music: str) -> None:
    begin = time.time()
    legs: list[BenchLeg] = []
    for number in range(given.calls):
        legs += await (_hold(media, number, music) if given.music else _connect(media, number, mixed=given.mixed))
    set_up = time.time() - begin
    if given.recorded:
        await _record(media, given.calls)
    status = await media.plane.status()
    pids = {"worker": status.worker_pids[0]} | ({"recorder": status.recorder_pid} if given.recorded else {})
    before, wall = {name: _cpu_seconds(pid) for name, pid in pids.items()}, time.time()
    figures = await asyncio.to_thread(_exchange, legs, given.seconds, 1.0)
    wall = time.time() - wall
    cpu = {name: (_cpu_seconds(pid) - before[name]) / wall for name, pid in pids.items()}
    status = await media.plane.status()
    for leg in legs:
        leg.sock.close()
    for number in range(given.calls):
        await media.plane.destroy(f"bench-{number}")
    kind = "waiting" if given.music else "mixed" if given.mixed else "relayed"
    print(
        f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    )
    print(f"{given.calls} {kind}{' and recorded' if given.recorded else ''} calls, set up in {set_up:.2f} s")
    print(f"sent {figures.sent}, received {figures.received} ({figures.received / max(1, figures.sent):.3%})")
    shares = ", ".join(f"{name} CPU {share:.0%} of a core" for name, share in cpu.items())
    print(f"{shares}, ticks skipped {status.ticks_skipped}")
    if figures.delays:
        delays = sorted(figures.delays)
        p50, p99 = (delays[int(len(delays) * share)] * 1000 for share in (0.5, 0.99))
        print(f"added delay p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    if given.recorded:
        await _tell_recordings(media, given.calls)


if __name__ == "__main__":
    asyncio.run(main())
