"""``python -m callcenter.nursery --line DESCRIPTOR [--load MODULES]``: started by whoever wants processes forked."""

import argparse
import socket

from callcenter.nursery.forking import serve


def main() -> None:
    """Serve until the other end of the line is closed."""
    parser = argparse.ArgumentParser(description="forks processes that have been imported already")
    parser.add_argument("--line", type=int, required=True, help="descriptor of the socket for orders")
    parser.add_argument("--load", default="", help="modules to import at once, separated by commas")
    given = parser.parse_args()
    serve(socket.socket(fileno=given.line), tuple(filter(None, given.load.split(","))))


if __name__ == "__main__":
    main()
