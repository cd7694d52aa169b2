import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.sip.errors import BadMessage
from callcenter.sip.framing import PING, StreamFramer
from callcenter.sip.parser import MAX_MESSAGE

pytestmark = pytest.mark.unit

ONE = b"OPTIONS sip:a@b SIP/2.0\r\nl: 0\r\n\r\n"
TWO = b"MESSAGE sip:a@b SIP/2.0\r\nContent-Length : 11\r\n\r\nhello\r\n\r\nyo"


@given(st.lists(st.sampled_from([ONE, TWO, PING]), max_size=8), st.lists(st.integers(1, 40), min_size=1, max_size=200))
def test_messages_are_cut_alike_however_they_are_chunked(messages, sizes):
    stream = b"".join(messages)
    framer = StreamFramer()
    found: list[bytes] = []
    for size in sizes * (len(stream) + 1):
        if not stream:
            break
        found += framer.feed(stream[:size])
        stream = stream[size:]
    assert found == messages


def test_an_empty_line_before_a_message_is_skipped():
    assert StreamFramer().feed(b"\r\n" + ONE) == [ONE]


@pytest.mark.parametrize(
    "head",
    [b"a: b", b"l: 1\r\nl: 2", b"l: -1", b"l: 99999999999", b"Content-Length: x"],
)
def test_a_stream_that_cannot_be_cut_is_given_up(head):
    with pytest.raises(BadMessage):
        StreamFramer().feed(b"OPTIONS sip:a@b SIP/2.0\r\n" + head + b"\r\n\r\n")


def test_a_head_that_never_ends_is_given_up_at_the_limit():
    framer = StreamFramer()
    for _ in range(MAX_MESSAGE // 1_000):
        assert framer.feed(b"x" * 1_000) == []
    with pytest.raises(BadMessage):
        framer.feed(b"x" * 1_000)
