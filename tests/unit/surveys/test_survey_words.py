"""What is an answer and what is not, which contacts are chosen, and whose links are ours."""

import pytest

from callcenter.appraisals.facts import SurveyKind
from callcenter.surveys.answers import LONGEST_COMMENT, Answer, clean_comment, read_answer
from callcenter.surveys.links import contact_of, token
from callcenter.surveys.rules import SurveyRule

pytestmark = pytest.mark.unit

KEY, OTHER_KEY = b"a" * 32, b"b" * 32


@pytest.mark.parametrize(
    ("text", "score", "comment"),
    [
        ("4", 4, ""),
        (" 5 \r\n", 5, ""),
        ("4 thanks", 4, "thanks"),
        ("4, thank you\nvery much", 4, "thank you very much"),
        ("4/5", 4, ""),
        ("3/5 was ok", 3, "was ok"),
        ("４。谢谢", 4, "谢谢"),
        ("5！很好", 5, "很好"),
        ("1 - nobody called back", 1, "nobody called back"),
        ("4\n> How satisfied were you?\n> 1 to 5", 4, ""),
        ("4\n-- \nJo", 4, ""),
    ],
)
def test_a_number_of_the_scale_is_an_answer_and_what_is_beside_it_a_comment(
    text: str, score: int, comment: str
) -> None:
    assert read_answer("csat", text) == Answer(score, comment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "thanks",
        "0",
        "6",
        "44",
        "4th of May",
        "4.30",
        "4 pm suits me",
        "4 o'clock",
        "call me at 4",
        "4-5 days",
        "４点来",
    ],
)
def test_what_else_people_write_is_none(text: str) -> None:
    assert read_answer("csat", text) is None


def test_the_scale_is_that_of_the_question() -> None:
    assert read_answer("nps", "0") == Answer(0)
    assert read_answer("nps", "10 great") == Answer(10, "great")
    assert read_answer("nps", "11") is None


def test_a_comment_is_one_line_without_control_characters_and_not_endless() -> None:
    assert clean_comment("a\x00b\n\tc" + "x" * 5_000) == ("a b c" + "x" * 5_000)[:LONGEST_COMMENT]


def test_a_link_tells_its_contact_and_only_this_house_makes_one() -> None:
    told = token("01890abc1234567890abc", KEY)
    assert contact_of(told, KEY) == "01890abc1234567890abc"
    assert contact_of(told, OTHER_KEY) is None
    assert contact_of(told.replace("01890", "01891"), KEY) is None
    assert contact_of(told[:-1], KEY) is None
    assert contact_of("", KEY) is None
    assert contact_of("~", KEY) is None
    assert contact_of("a/../b~" + told.split("~")[1], KEY) is None


def test_a_share_is_kept_and_the_same_contact_is_always_in_or_out() -> None:
    rule = SurveyRule(share_percent=30)
    chosen = [rule.chooses(f"call-{each}", KEY) for each in range(4_000)]
    assert chosen == [rule.chooses(f"call-{each}", KEY) for each in range(4_000)]
    assert 0.27 < sum(chosen) / 4_000 < 0.33
    assert not any(SurveyRule(share_percent=0).chooses(f"call-{each}", KEY) for each in range(500))
    assert all(SurveyRule(share_percent=100).chooses(f"call-{each}", KEY) for each in range(500))


def test_the_message_is_in_the_customers_language_where_there_are_words_for_it() -> None:
    rule = SurveyRule(SurveyKind.NPS)
    assert (rule.language("zh"), rule.language("fr"), rule.language(None)) == ("zh", "en", "en")
    text = rule.text("zh", company="Quist", link="https://x/s/y")
    assert "Quist" in text
    assert "0（完全不会）到 10" in text
    assert text.endswith("https://x/s/y")
    own = SurveyRule(texts={"de": "Wie war es? {link}"})
    assert own.text(own.language("en"), company="Quist {link}", link="L") == "Wie war es? L"
