"""Rules of the house that no linter knows. Each tells the story it comes from.

Every rule is a function from a file to what is wrong in it, tried on a bad example before it judges the tree.
"""

import ast
import itertools
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PRODUCT = ("callcenter", "acd", "ivr", "agent_console", "crm_bridge")
CATEGORIES = {"unit", "scenario", "interop", "faults"}
NO_TREE = {".git", ".venv", "node_modules", "var", "dist", "static"}

Rule = Callable[[str, str], Iterator[str]]
"""From the path within the repository and the text of a file to what is wrong in it."""


def sleeps(path: str, text: str) -> Iterator[str]:
    """Tests wait for facts, never for time.

    A test that sleeps fifty milliseconds for a task to finish passes on the machine it was written on and fails on a
    busy one; made longer, it makes the whole suite slow, and still fails one night in a hundred. Allowed are
    ``sleep(0)``, which lets other tasks run, and the words of ``virtual_time``. A fact of another process cannot wake
    the test: ``waiting.until`` looks for it again and again, with a deadline, and is the one place that pauses.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and _last_name(node.func) == "sleep":
            waits = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if waits != [0]:
                yield f"{path}:{node.lineno}: sleeps; wait for an event, or pass_seconds in virtual time"


def categories(path: str, text: str) -> Iterator[str]:
    """Every test module says which suite it belongs to, once.

    A module without a marker is run by no suite that selects by marker: it was written, it was green, and nobody ever
    ran it again. A module with two is run twice, and its sockets open in the suite that promises none.
    """
    found = [
        mark
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and any(_last_name(target) == "pytestmark" for target in node.targets)
        for mark in (_last_name(part) for part in ast.walk(node.value) if isinstance(part, ast.Attribute))
        if mark in CATEGORIES
    ]
    if len(found) != 1:
        yield f"{path}: has {len(found)} categories; give pytestmark exactly one of {', '.join(sorted(CATEGORIES))}"


def copyleft_imports(path: str, text: str) -> Iterator[str]:
    """The speech engine and the independent phone are programs we talk to, not parts of the product.

    Both packages are GPL-3 and the product is Apache-2.0. They are optional, and run in processes of their own behind a
    line protocol and behind SIP; an import anywhere else would join the licences, and break every installation that
    left the extras out.
    """
    if path == "callcenter/media/speech_engine.py" or path.startswith("callcenter/demo/"):
        return
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            if name.split(".")[0] in {"pyVoIP", "espeakng_loader"}:
                yield f"{path}:{node.lineno}: imports {name}; run it in a process of its own"


_MACHINE = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/[A-Za-z.]")


def machine_paths(path: str, text: str) -> Iterator[str]:
    """No file knows where it once lay.

    A test read its vectors from somebody's home folder: green there, skipped in silence everywhere else. Paths are
    built from the place of the file that needs them, or given by configuration.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if _MACHINE.search(line) or (len(ROOT.parts) > 2 and str(ROOT) in line):
            yield f"{path}:{number}: holds a path of one machine; build it from __file__ or take it from configuration"


def _last_name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _texts(*folders: str, suffix: str = "") -> list[tuple[str, str]]:
    """The texts under version control, or about to be, by path; everything in the folders where git is not there."""
    try:
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
    wanted = (
        name
        for name in sorted(set(names))
        if name
        and name.endswith(suffix)
        and not NO_TREE.intersection(Path(name).parts)
        and (not folders or Path(name).parts[0] in folders)
    )
    return [(name, text) for name in wanted if (text := _text(ROOT / name)) is not None]


def _text(path: Path) -> str | None:
    """The file's text; ``None`` for what is none, or went away meanwhile."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _judge(rule: Rule, texts: list[tuple[str, str]]) -> list[str]:
    assert texts, "nothing to judge: the rule looks in the wrong place"
    return [fault for path, text in texts for fault in rule(path, text)]


def test_no_test_sleeps() -> None:
    """See ``sleeps``."""
    texts = _texts("tests", suffix=".py")
    free = ("tests/soak/", "tests/support/virtual_time.py", "tests/support/waiting.py")
    assert _judge(sleeps, [(path, text) for path, text in texts if not path.startswith(free)]) == []


def test_every_test_module_has_exactly_one_category() -> None:
    """See ``categories``."""
    texts = _texts("tests", suffix=".py")
    modules = [(path, text) for path, text in texts if Path(path).name.startswith("test_")]
    assert _judge(categories, modules) == []


def test_the_product_imports_no_copyleft_package() -> None:
    """See ``copyleft_imports``."""
    assert _judge(copyleft_imports, _texts(*PRODUCT, suffix=".py")) == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    """See ``machine_paths``."""
    assert _judge(machine_paths, _texts()) == []


HOME = "/" + "home"


@pytest.mark.parametrize(
    ("rule", "text", "faults"),
    [
        (sleeps, "import time\ntime.sleep(0.1)", 1),
        (sleeps, "await asyncio.sleep(delay)", 1),
        (sleeps, "from time import sleep\nsleep()", 1),
        (sleeps, "await asyncio.sleep(0)\nsleepy()", 0),
        (categories, "pytestmark = pytest.mark.unit", 0),
        (categories, "pytestmark = [pytest.mark.interop, pytest.mark.slow]", 0),
        (categories, "pytestmark = pytest.mark.slow", 1),
        (categories, "pytestmark = [pytest.mark.unit, pytest.mark.faults]", 1),
        (categories, "import pytest", 1),
        (copyleft_imports, "def f():\n    import pyVoIP.VoIP", 1),
        (copyleft_imports, "from espeakng_loader import x", 1),
        (copyleft_imports, "import pyvoip_free\nfrom . import pyVoIP", 0),
        (machine_paths, f"open('{HOME}/someone/x')", 1),
        (machine_paths, f"{ROOT}/ivr", 1),
        (machine_paths, "https://example.org/home/page and ~/.baresip", 0),
    ],
)
def test_a_rule_finds_what_it_is_for_and_nothing_else(rule: Rule, text: str, faults: int) -> None:
    assert len(list(rule("callcenter/example.py", text))) == faults


def test_lock_holds_everything_that_the_project_declares() -> None:
    """A dependency that was declared and not locked worked on every desk and failed on every new machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    declared = [
        *project["project"]["dependencies"],
        *itertools.chain(*project["project"]["optional-dependencies"].values()),
        *itertools.chain(*project["dependency-groups"].values()),
    ]
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / "all.txt").read_text("utf-8"), re.MULTILINE))
    names = {re.split(r"[\[<>=!~ ;]", each)[0].lower().replace("_", "-") for each in declared}
    assert names - locked == set()


def test_lock_names_no_registry() -> None:
    """Locks travel; a registry's address in one ties every installation to the machine it was made on."""
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in lock.read_text("utf-8")
    assert '"resolved"' not in (ROOT / "agent_console" / "web" / "package-lock.json").read_text("utf-8")
