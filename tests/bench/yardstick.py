"""The yardstick: sippy's ``b2bua_simple`` with one UDP worker, in a folder of its own below ``var/``.

Its package brings a top-level module called ``tests``, so it never goes into the environment of the product."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "var" / "yardsticks"
PINS = ROOT / "requirements" / "yardsticks.txt"
ONE_WORKER = (
    "import sys; sys.path.insert(0, {folder!r}); import sippy.Udp_server as udp; udp.Udp_server_opts.nworkers = 1; "
    "from sippy.b2bua_simple import main_func; main_func()"
)
"""With its usual three workers it sends 200 before 180 now and then."""


def install() -> bool:
    """Install what is pinned, unless it is there; tells whether it is there now."""
    stamp = FOLDER / "installed"
    if stamp.exists() and stamp.read_text("utf-8") == PINS.read_text("utf-8"):
        return True
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--upgrade"]
    done = subprocess.run(
        [*pip, "--target", str(FOLDER), "--require-hashes", "-r", str(PINS)],
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode == 0:
        stamp.write_text(PINS.read_text("utf-8"), "utf-8")
    return done.returncode == 0


def command(port: int, gateway_port: int) -> list[str]:
    """What starts it: calls to ``port`` go to ``gateway_port``."""
    code = ONE_WORKER.format(folder=str(FOLDER))
    return [sys.executable, "-c", code, "-f", "-l", "127.0.0.1", "-p", str(port), "-n", f"127.0.0.1:{gateway_port}"]
