"""The shapes of the API are complete once their modules are: none is put together later, by whoever asks first."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from tests.support.crm_web import application

pytestmark = pytest.mark.unit


def test_every_model_is_complete_when_its_module_is_imported() -> None:
    """One that names a class which is not there yet is built at its first use: with several threads by each of them."""
    application()
    ours = [each for each in below(BaseModel) if each.__module__.startswith("crm_bridge.")]
    assert len(ours) > 50
    assert [each.__qualname__ for each in ours if not each.__pydantic_complete__] == []


def below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from below(each)
