"""rtpengine's form of messages: what goes out comes back, and what is broken is said to be."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.media.bencode import MalformedBencode, decode, encode

pytestmark = pytest.mark.unit

VALUES = st.recursive(
    st.integers(-(10**15), 10**15) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def test_the_form_is_the_one_that_rtpengine_documents():
    assert encode({"command": "ping", "a": [1, -2, b"x"]}) == b"d1:ali1ei-2e1:xe7:command4:pinge"
    assert decode(b"d6:result4:ponge") == {"result": b"pong"}


@given(VALUES)
def test_what_goes_out_comes_back(value):
    assert decode(encode(value)) == value


@given(st.binary(max_size=60))
def test_anything_is_read_or_refused(data: bytes):
    with contextlib.suppress(MalformedBencode):
        decode(data)


@pytest.mark.parametrize(
    "data", [b"", b"i1", b"ie", b"i--1e", b"5:abc", b"-1:a", b"l", b"d1:a", b"di1ei2ee", b"i1ei2e", b"l" * 40]
)
def test_broken_messages_are_refused(data: bytes):
    with pytest.raises(MalformedBencode):
        decode(data)
