"""Flows that come with the product. This is the package's one door to files; everything else takes text."""

from importlib.resources import files


def demo_flow_text() -> str:
    """The text of the demo company's call flow, to be given to ``ivr.parser.parse_flow``."""
    return files(__name__).joinpath("demo.toml").read_text(encoding="utf-8")
