"""The variables of a run: texts by name, with ``${name}`` in a new value standing for a present one."""

import re
from collections.abc import Mapping

MAX_VALUE_LENGTH = 256
"""Values are cut here, so that no flow can grow them without end."""

_REFERENCE = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


def is_template(text: str) -> bool:
    """Whether every ``${`` begins a reference to a variable."""
    return "${" not in _REFERENCE.sub("", text)


def substitute(template: str, variables: Mapping[str, str]) -> str:
    """The template with its references replaced; a variable that has no value is empty."""
    return _REFERENCE.sub(lambda match: variables.get(match[1], ""), template)[:MAX_VALUE_LENGTH]
