"""The keeper's ledger of recordings, and a worker's way to the recorder."""

import socket
from collections.abc import Iterator

import msgspec
import pytest

from callcenter.media.mediad.feed import RecorderFeed
from callcenter.media.mediad.ledger import RecordingLedger
from callcenter.media.mediad.recorder_protocol import (
    Chunk,
    CloseRecording,
    Damage,
    OpenRecording,
    RecorderOrder,
    TapEnded,
    TapMessage,
    TapSwitched,
    Written,
)
from callcenter.media.protocol import RecordingDone, RecordingSpec, RecordingSuffers, TapOrder

pytestmark = pytest.mark.unit

FIRST, SECOND = object(), object()
SPEC = RecordingSpec("r", "caller", "agent")
PAUSED = RecordingSpec("r", "caller", "agent", paused=True)


class Books:
    """A ledger and the orders it gave to the recorder."""

    def __init__(self) -> None:
        self.orders: list[RecorderOrder] = []
        self.ledger = RecordingLedger(self.orders.append)

    def follow(self, *specs: RecordingSpec, worker: object | None = FIRST, now: int = 100) -> dict[str, TapOrder]:
        return self.ledger.follow("s", specs, worker, epoch=5, now=now, wall=1_800_000_000_000)

    def closed(self) -> list[int]:
        return [order.number for order in self.orders if isinstance(order, CloseRecording)]


def test_a_recording_begins_once_and_keeps_its_time_line_over_workers() -> None:
    books = Books()
    taps = books.follow(SPEC)
    assert taps == {"r": TapOrder(1, 100, 100)}
    books.ledger.lose_feeder(FIRST)
    assert books.follow(SPEC, worker=SECOND, now=900) == {"r": TapOrder(1, 100, 100, is_taken_over=True)}
    (opened,) = books.orders
    assert isinstance(opened, OpenRecording)
    assert (opened.opened.recording_id, opened.opened.session_id, opened.opened.epoch) == ("r", "s", 5)


def test_a_pause_is_dated_by_its_order_even_without_a_worker() -> None:
    books = Books()
    books.follow(SPEC)
    assert books.follow(PAUSED, worker=None, now=300)["r"].switched_at == 300
    assert books.follow(PAUSED, now=400)["r"].switched_at == 300
    assert books.follow(SPEC, now=500)["r"].switched_at == 500


def test_the_worker_ends_what_is_left_out_and_the_recorder_what_a_dead_one_left() -> None:
    books = Books()
    books.follow(SPEC)
    books.follow()
    assert books.closed() == []
    assert [order.is_ending for order in books.ledger.under_way()] == [True]
    books.ledger.lose_feeder(SECOND)
    assert books.closed() == []
    books.ledger.lose_feeder(FIRST)
    assert books.closed() == [1]


def test_a_dead_workers_recording_waits_for_its_successor() -> None:
    books = Books()
    books.follow(SPEC)
    books.ledger.lose_feeder(FIRST)
    assert books.closed() == []
    books.follow(SPEC, worker=SECOND)
    books.ledger.end_session("s")
    assert books.closed() == [], "the successor ends it"


def test_a_session_without_a_worker_closes_its_recordings_itself() -> None:
    books = Books()
    books.follow(SPEC)
    books.ledger.lose_feeder(FIRST)
    books.ledger.end_session("s")
    assert books.closed() == [1]
    books.ledger.end_session("s")
    assert books.closed() == [1]


def test_the_same_id_may_be_used_again_after_its_end() -> None:
    books = Books()
    books.follow(SPEC)
    books.follow()
    assert books.follow(SPEC, now=900) == {"r": TapOrder(2, 900, 900)}
    stems = {order.stem for order in books.orders if isinstance(order, OpenRecording)}
    assert len(stems) == 2


def test_what_is_on_disk_is_told_and_forgotten() -> None:
    books = Books()
    books.follow(SPEC)
    done = books.ledger.finish(Written(1, "s", "r", "/p", "ab", 12_345, None))
    assert done == RecordingDone("s", "r", "/p", "ab", 1543, None)
    assert books.ledger.under_way() == ()
    former = books.ledger.finish(Written(0, "old", "o", "/q", "cd", 8000, "interrupted"))
    assert (former.session_id, former.duration_ms) == ("old", 1000)


def test_each_damage_is_told_once() -> None:
    books = Books()
    books.follow(SPEC)
    assert books.ledger.suffer(1, "overflow") == RecordingSuffers("s", "r", "overflow")
    assert books.ledger.suffer(1, "overflow") is None
    assert books.ledger.suffer(1, "disk_full") is not None
    assert books.ledger.suffer(99, "overflow") is None


class Line:
    """A feed and the recorder's end of its socket."""

    def __init__(self, most_waiting: int) -> None:
        self.damages: list[tuple[int, Damage]] = []
        self.feed = RecorderFeed(lambda *damage: self.damages.append(damage), most_waiting=most_waiting)
        self.theirs: socket.socket | None = None

    def connect(self) -> None:
        """Let a recorder appear, in place of any former one."""
        self.hang_up()
        ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self.theirs.setblocking(False)
        self.feed.use(ours)

    def hang_up(self) -> None:
        if self.theirs is not None:
            self.theirs.close()

    def received(self) -> list[TapMessage]:
        """Everything that came, also what waited for room in the socket."""
        assert self.theirs is not None
        messages: list[TapMessage] = []
        decoder = msgspec.msgpack.Decoder(TapMessage)
        while True:
            self.feed.flush()
            try:
                messages.append(decoder.decode(self.theirs.recv(1 << 18)))
            except BlockingIOError:
                return messages


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line(most_waiting=200_000)
    yield line
    line.hang_up()
    line.feed.close()


def chunk(position: int, number: int = 1) -> Chunk:
    return Chunk(number, position, 8000, bytes(8000), bytes(8000))


def test_chunks_wait_for_a_recorder_and_keep_their_order(line: Line) -> None:
    for position in range(3):
        line.feed.send(chunk(position))
    line.feed.send(TapEnded(1, 3))
    line.feed.flush()
    line.connect()
    assert [message.position for message in line.received()] == [0, 1, 2, 3]
    assert line.damages == []


def test_what_does_not_fit_is_dropped_and_told_and_marks_are_not(line: Line) -> None:
    for position in range(100):
        line.feed.send(chunk(position))
    line.feed.send(TapSwitched(1, 100, True))
    line.feed.send(TapEnded(1, 101))
    assert line.damages == [(1, Damage.OVERFLOW)]
    line.connect()
    received = line.received()
    assert [message.position for message in received] == [*range(12), 100, 101]
    assert received[-1] == TapEnded(1, 101, after_loss=True)
    line.feed.send(chunk(200, number=2))
    line.feed.send(chunk(102))
    assert [getattr(message, "after_loss", None) for message in line.received()] == [False, False]


def test_the_first_chunk_after_a_loss_says_so(line: Line) -> None:
    for position in range(20):
        line.feed.send(chunk(position))
    line.connect()
    line.received()
    line.feed.send(chunk(20))
    line.feed.send(chunk(21))
    assert [getattr(message, "after_loss", None) for message in line.received()] == [True, False]


def test_a_recorder_that_dies_costs_what_was_in_its_socket_only(line: Line) -> None:
    line.connect()
    line.hang_up()
    for position in range(5):
        line.feed.send(chunk(position))
        line.feed.flush()
    line.connect()
    assert [message.position for message in line.received()] == [0, 1, 2, 3, 4]
