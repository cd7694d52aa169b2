"""Laws of chance as people write them: a bare number of seconds is an exponential mean, a table names its law."""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import PlainValidator

from acd.simulator_laws import Deterministic, Empirical, Exponential, Law, LogNormal

_LAWS: Mapping[str, tuple[Callable[..., Law], tuple[str, ...]]] = {
    "exponential": (Exponential, ("mean_s",)),
    "lognormal": (LogNormal, ("mean_s", "cv")),
    "deterministic": (Deterministic, ("mean_s",)),
    "empirical": (Empirical, ("values_s",)),
}
_MAY_BE_LEFT_OUT = frozenset({"cv"})


def read_law(content: Any) -> Law:
    """``240``, or ``{ law = "lognormal", mean_s = 240, cv = 1.2 }``. Raises ``ValueError`` saying what is wrong."""
    if isinstance(content, Exponential | LogNormal | Deterministic | Empirical):
        return content
    if isinstance(content, int | float):
        return Exponential(_number("a law", content, positive=True))
    if not isinstance(content, Mapping):
        raise ValueError("write seconds, or a table such as { law = 'lognormal', mean_s = 240, cv = 1.2 }")
    name = str(content.get("law"))
    if name not in _LAWS:
        raise ValueError(f"law is {name!r}; known are {', '.join(_LAWS)}")
    make, keys = _LAWS[name]
    if strange := sorted(set(content) - {"law", *keys}):
        raise ValueError(f"{name} has no {strange[0]}; it takes {', '.join(keys)}")
    if missing := [key for key in keys if key not in content and key not in _MAY_BE_LEFT_OUT]:
        raise ValueError(f"{name} needs {missing[0]}")
    positive = name != "deterministic"
    values = {
        key: _values(content[key]) if key == "values_s" else _number(key, content[key], positive=positive)
        for key in keys
        if key in content
    }
    return make(**values)


def _values(content: Any) -> tuple[float, ...]:
    if not isinstance(content, list) or not content:
        raise ValueError("values_s must be a list of seconds")
    return tuple(_number("values_s", each, positive=False) for each in content)


def _number(key: str, content: Any, *, positive: bool) -> float:
    number = isinstance(content, int | float) and not isinstance(content, bool)
    if not number or not math.isfinite(content) or content < 0:
        raise ValueError(f"{key} must be a number, 0 or more")
    if positive and content == 0:
        raise ValueError(f"{key} must be more than 0")
    return float(content)


LawTable = Annotated[Law, PlainValidator(read_law)]
"""How long something takes."""
