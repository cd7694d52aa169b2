"""``python -m callcenter.media.mediad``: run the media processes."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import get_args

import uvloop

from callcenter.logs import configure_logs
from callcenter.media.mediad.births import StartedNursery, fork_nursery
from callcenter.media.mediad.keeper import Keeper
from callcenter.media.mediad.settings import MediaSettings, RelayLoop


def read_arguments(arguments: list[str] | None = None) -> MediaSettings:
    """Settings from the command line; every option is a field of ``MediaSettings``."""
    parser = argparse.ArgumentParser(prog="mediad", description="RTP media processes")
    parser.add_argument("--socket", dest="socket_path", required=True, help="Unix socket for the exchange's orders")
    parser.add_argument("--host", default="127.0.0.1", help="address of the RTP sockets")
    parser.add_argument("--advertise", default="", help="address for SDP, if another")
    parser.add_argument("--port-min", type=int, default=16384)
    parser.add_argument("--port-max", type=int, default=32766)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--standby", type=int, default=1, help="workers in reserve")
    parser.add_argument(
        "--loop", choices=get_args(RelayLoop), default="auto", help="what relays packets; compiled needs numba"
    )
    parser.add_argument(
        "--no-realtime", dest="realtime", action="store_false", help="do not ask for real-time scheduling"
    )
    parser.add_argument(
        "--most-busy", type=float, default=0.65, help="share of a core above which new calls are refused"
    )
    parser.add_argument("--silence-timeout", type=int, default=30_000, help="milliseconds without RTP")
    parser.add_argument("--quarantine", type=int, default=30_000, help="rest of a port after use, milliseconds")
    parser.add_argument("--grace", type=int, default=60_000, help="life without the exchange, milliseconds")
    parser.add_argument("--recordings", default="", help="folder of the recordings; without it nothing is recorded")
    parser.add_argument("--recording-key", default="", help="key file for encrypted recordings, outside of that folder")
    parser.add_argument("--browser-port", type=int, default=None, help="UDP port of all browsers; none without it")
    parser.add_argument("--browser-host", default="", help="address of that port, if another than --host")
    parser.add_argument(
        "--browser-address", dest="browser_addresses", action="append", default=[], help="candidate for browsers"
    )
    parser.add_argument("--parent-pid", type=int, default=None, help="exit when this process is gone")
    given = vars(parser.parse_args(arguments))
    given["browser_addresses"] = tuple(given["browser_addresses"])
    settings = MediaSettings(**{field.name: given[field.name] for field in fields(MediaSettings)})
    if settings.recording_key and _lies_in(settings.recording_key, settings.recordings):
        parser.error("the key file lies in the folder of the recordings: who takes one would have both")
    return settings


def _lies_in(path: str, folder: str) -> bool:
    return bool(folder) and Path(path).resolve().is_relative_to(Path(folder).resolve())


async def _run(settings: MediaSettings, nursery: StartedNursery) -> None:
    await Keeper(settings, nursery).run()


def main() -> None:
    """Run until SIGTERM."""
    configure_logs("media")
    settings = read_arguments()
    nursery = fork_nursery(settings)  # while there is neither an event loop nor a thread
    uvloop.run(_run(settings, nursery))


if __name__ == "__main__":
    main()
