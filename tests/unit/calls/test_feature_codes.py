"""Feature codes: what is dialled, and what a site may choose."""

import pytest
from pydantic import ValidationError

from callcenter.calls.feature_codes import Feature, FeatureCodes
from callcenter.site.feature_codes import FeatureCodesModel

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("dialled", "asked"),
    [
        ("*68", (Feature.PARK, "")),
        ("*681", None),
        ("*69701", (Feature.RETRIEVE, "701")),
        ("*69", None),
        ("*8", (Feature.PICK_UP, "")),
        ("*8anna", (Feature.PICK_UP, "anna")),
        ("*97", (Feature.MAILBOX, "")),
        ("+12025550177", None),
        ("", None),
    ],
)
def test_a_code_is_read_with_what_stands_behind_it(dialled, asked):
    assert FeatureCodes().read(dialled) == asked


def test_a_code_that_is_empty_is_never_dialled():
    none = FeatureCodes("", "", "", "")
    assert [none.read(each) for each in ("", "*68", "*69701", "*8", "*97")] == [None] * 5


def test_codes_that_phones_could_not_tell_apart_or_that_are_numbers_are_refused():
    assert FeatureCodesModel(park="#7", mailbox="").codes == FeatureCodes("#7", "*69", "*8", "")
    with pytest.raises(ValidationError, match=r"retrieve = '\*6' is how park = '\*68' begins"):
        FeatureCodesModel(retrieve="*6")
    with pytest.raises(ValidationError):
        FeatureCodesModel(park="68")
