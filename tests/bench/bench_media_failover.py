"""What 200 calls notice when their worker is killed: with and without a standby, with either relay loop."""

from importlib.util import find_spec

from callcenter.media.measuring import measure_failover
from callcenter.media.mediad.settings import RelayLoop

CALLS, SECONDS = 200, 8.0


def main() -> None:
    """Measure and print."""
    loops: list[RelayLoop] = ["compiled", "python"] if find_spec("numba") is not None else ["python"]
    print("loop      standby     sent  lost  longest gap, ms")
    for loop in loops:
        for standby in (1, 0):
            done = measure_failover(calls=CALLS, seconds=SECONDS, standby=standby, loop=loop)
            print(f"{loop:8}  {standby:7}  {done.sent:7}  {done.lost:4}  {done.longest_ms:15}")


if __name__ == "__main__":
    main()
