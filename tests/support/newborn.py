"""``python -m tests.support.newborn FILE [what it does then]``: a process that notes what it finds itself to be."""

import json
import os
import signal
import sys
from pathlib import Path

from callcenter.nursery.kinship import die_with_parent


def found() -> dict[str, object]:
    """What a process can tell of itself."""
    status = Path("/proc/self/status").read_text("utf-8")
    kept = ("Threads", "Umask", "SigBlk", "SigIgn", "SigCgt", "NoNewPrivs")
    return {
        "command": Path("/proc/self/cmdline").read_bytes().decode().split("\0"),
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "parent": os.getppid(),
        "leads its group": os.getpgrp() == os.getpid(),
        "session": os.getsid(0),
        "descriptors": {each.name: str(each.readlink()) for each in descriptors()},
        "main": sys.modules["__main__"].__name__,
        "was forked": "callcenter.nursery.forking" in sys.modules,
        "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "status": [line for line in status.splitlines() if line.startswith(kept)],
    }


def descriptors() -> list[Path]:
    """What is open, but for what this look opens itself."""
    return [each for each in Path("/proc/self/fd").iterdir() if each.is_symlink() and each.exists()]


def main() -> None:
    """Note it, then do as told; a tester that is killed leaves none behind."""
    die_with_parent()
    file, *wish = sys.argv[1:]
    Path(f"{file}.new").write_text(json.dumps(found()), "utf-8")
    Path(f"{file}.new").rename(file)
    match wish:
        case ["exit", code]:
            sys.exit(int(code))
        case ["say", text]:
            sys.stdout.write(text)  # not flushed: whoever ends does that
            sys.exit("a last word")
        case ["fail"]:
            raise RuntimeError("on purpose")
        case ["stay"]:
            signal.pause()


if __name__ == "__main__":
    main()
