"""The examples beside the product are what the product reads."""

import tomllib
from pathlib import Path

import pytest

from callcenter.site.models import FlowModel, NumberModel
from callcenter.site.outbound import OutboundModel
from callcenter.site.trunks import TrunkModel

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def test_the_example_of_a_trunk_fits_into_a_site_file() -> None:
    example = tomllib.loads((ROOT / "sip_configs" / "trunks" / "example.toml").read_text("utf-8"))
    models = {"trunks": TrunkModel, "numbers": NumberModel, "flows": FlowModel}
    OutboundModel.model_validate(example.pop("outbound"))
    assert set(example) == set(models)
    for kind, model in models.items():
        for row in example[kind]:
            model.model_validate(row)
