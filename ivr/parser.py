"""From the text of a flow to a ``Flow``. Takes text, not paths: reading files is the caller's business.

The parser answers for the form of each table. Whether the tables fit together (targets, prompts, languages) is judged
by ``ivr.lint``, which also judges flows that come from elsewhere.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ivr.errors import FlowSyntaxError, Problem
from ivr.flow import Flow, Step
from ivr.hours_tables import read_hours
from ivr.step_tables import read_step
from ivr.tables import LANGUAGE_CODE, NAME, TableReader

_TOML_LINE = re.compile(r"\(at line (\d+),")


def parse_flow(text: str, *, source: str) -> Flow:
    """Read a flow. ``source`` names the text in errors. Raises ``FlowSyntaxError`` listing everything that is wrong."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers and nesting beyond what the reader of TOML takes
        at = _TOML_LINE.search(str(error))
        problem = Problem(None, "", int(at[1]) if at else None, f"not TOML: {error}")
        raise FlowSyntaxError(source, [problem]) from error
    problems: list[Problem] = []
    flow = _read_flow(TableReader(table, "", problems))
    if problems:
        raise FlowSyntaxError(source, [replace(problem, line=_line_of(text, problem.place)) for problem in problems])
    return flow


def _read_flow(root: TableReader) -> Flow:
    header = root.inside("flow")
    languages = header.texts("languages", pattern=LANGUAGE_CODE)
    default = header.text("default_language", languages[0] if languages else "")
    if languages and default not in languages:
        header.note(f"{default!r} is not among the languages {', '.join(languages)}", "default_language")
    flow = Flow(
        name=header.text("name"),
        start=header.text("start", pattern=NAME),
        languages=languages,
        default_language=default,
        prompts=_read_prompts(root),
        hours=MappingProxyType({name: read_hours(reader) for name, reader in _named(root, "hours")}),
        steps=_read_steps(root),
    )
    header.close()
    root.close()
    return flow


def _named(root: TableReader, key: str) -> list[tuple[str, TableReader]]:
    entries = list(root.tables(key))
    for name, reader in entries:
        if not NAME.fullmatch(name):
            reader.note(f"{name!r} is not a good name; it has to look like {NAME.pattern}")
    return entries


def _read_prompts(root: TableReader) -> Mapping[str, Mapping[str, str]]:
    prompts = {}
    for name, reader in _named(root, "prompts"):
        texts = {code: reader.text(code) for code in reader.table}
        if not texts:
            reader.note("says nothing; give a text for each language")
        for code, said in texts.items():
            if not LANGUAGE_CODE.fullmatch(code):
                reader.note("is no language code such as en or zh", code)
            if "${" in said:
                reader.note("prompts are rendered beforehand and hold no variables; use a branch instead", code)
        prompts[name] = MappingProxyType(texts)
    return MappingProxyType(prompts)


def _read_steps(root: TableReader) -> Mapping[str, Step]:
    steps: dict[str, Step] = {}
    for name, reader in _named(root, "steps"):
        reader.step = name
        step = read_step(name, reader)
        if step is not None:
            steps[name] = step
    if not root.has("steps") or not root.table["steps"]:
        root.note("a flow needs at least one step", "steps")
    return MappingProxyType(steps)


def _line_of(text: str, place: str) -> int | None:
    """The line of the header of this table, or of the nearest one around it."""
    path = place.split(".")
    for length in range(len(path), 0, -1):
        header = re.compile(r"\[{1,2}\s*" + re.escape(".".join(path[:length])) + r"\s*\]")
        for number, line in enumerate(text.splitlines(), 1):
            if header.match(line.strip()):
                return number
    return None
