"""Memory that stays: which of it fits on large pages, and that it is the same afterwards."""

import gc
import mmap
import platform
import threading
from pathlib import Path

import pytest

from callcenter.long_lived import SETTINGS, keep_for_good, large_pages, use_large_pages

pytestmark = pytest.mark.unit

MIB = 1 << 20


def test_only_whole_pages_of_memory_of_our_own_are_meant() -> None:
    maps = [
        "00400000-00c00000 r-xp 00000000 fe:00 1234                               /usr/bin/python3.11",
        "01100000-01900000 rw-p 00000000 00:00 0                                  [heap]",
        "7f0000000000-7f0000400000 rw-p 00000000 00:00 0 ",
        "7f0000500000-7f0000600000 rw-p 00000000 00:00 0 ",
        "7f0000800000-7f0000c00000 rw-s 00000000 00:01 99                         /dev/zero (deleted)",
        "7f0001000000-7f0001400000 rw-p 00000000 fe:00 77                         /usr/lib/libc.so.6",
        "7ffc00000000-7ffc00800000 rw-p 00000000 00:00 0                          [stack]",
    ]
    assert list(large_pages(maps, 2 * MIB)) == [0x1200000, 0x1400000, 0x1600000, 0x7F0000000000, 0x7F0000200000]


def test_nobody_waits_for_the_large_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    may_end, has_ended = threading.Event(), threading.Event()

    def slowly() -> int:
        assert may_end.wait(20)
        has_ended.set()
        return 0

    monkeypatch.setattr("callcenter.long_lived.use_large_pages", slowly)
    threshold = gc.get_threshold()
    try:
        keep_for_good()
        assert gc.get_freeze_count() > 0
        assert not has_ended.is_set()
        may_end.set()
        assert has_ended.wait(20)
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)


def kernel() -> tuple[int, ...]:
    return tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])


@pytest.mark.skipif(
    platform.system() != "Linux" or kernel() < (6, 1) or not (SETTINGS / "hpage_pmd_size").exists(),
    reason="this kernel moves no memory to large pages",
)
def test_memory_moves_to_large_pages_and_holds_what_it_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("callcenter.long_lived.SETTINGS", tmp_path)
    (tmp_path / "hpage_pmd_size").write_text((SETTINGS / "hpage_pmd_size").read_text("ascii"), "ascii")
    with mmap.mmap(-1, 16 * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[:] = bytes(range(256)) * (len(memory) // 256)
        for setting, moves in (("always madvise [never]", False), ("always [madvise] never", True)):
            (tmp_path / "enabled").write_text(setting, "ascii")
            assert (use_large_pages() >= 4) is moves
            assert memory[:] == bytes(range(256)) * (len(memory) // 256)
