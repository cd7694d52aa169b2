"""What stands on the page on which customers answer, in English and 中文. Pure."""

from html import escape

from callcenter.surveys.answers import LONGEST_COMMENT
from callcenter.surveys.rules import bounds

WORDS = {
    "en": {
        "csat": "How satisfied were you with our service?",
        "nps": "How likely are you to recommend us?",
        "csat_ends": ("not at all", "very"),
        "nps_ends": ("not at all", "very likely"),
        "comment": "Anything you want to tell us? (optional)",
        "send": "Send",
        "taken": "Thank you for your answer.",
        "answered": "You have answered already. Thank you!",
        "expired": "This question is closed. Thank you all the same!",
        "unknown": "This link is not complete, or not ours.",
        "invalid": "Please choose one of the numbers.",
        "later": "This does not work just now. Please try again in a moment.",
        "title": "Your opinion",
    },
    "zh": {
        "csat": "您对我们的服务满意吗？",
        "nps": "您有多大可能向他人推荐我们？",
        "csat_ends": ("非常不满意", "非常满意"),
        "nps_ends": ("完全不会", "非常愿意"),
        "comment": "您还有什么想告诉我们的吗？（可不填）",
        "send": "提交",
        "taken": "感谢您的回答。",
        "answered": "您已经回答过了，谢谢！",
        "expired": "此调查已结束，仍然感谢您！",
        "unknown": "此链接不完整或不是我们发出的。",
        "invalid": "请选择一个分数。",
        "later": "暂时无法处理，请稍后再试。",
        "title": "您的意见",
    },
}
_STYLE = """
:root{color-scheme:light dark}
body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}
fieldset{border:0;padding:0;margin:0 0 1.5rem}
legend{font-size:1.3rem;font-weight:600;margin-bottom:1rem;padding:0}
.scale{display:flex;flex-wrap:wrap;gap:.5rem}
.scale label{border:1px solid;border-radius:.5rem;padding:.5rem .8rem;cursor:pointer}
.scale label:has(:checked){outline:3px solid Highlight}
.ends{display:flex;justify-content:space-between;margin:.4rem 0 0}
textarea{box-sizing:border-box;width:100%;min-height:6rem;font:inherit;padding:.5rem;margin-top:.3rem}
button{font:inherit;padding:.6rem 1.6rem;margin-top:1rem;cursor:pointer}
nav{text-align:right}
"""


def _page(company: str, language: str, body: str) -> str:
    other = "zh" if language == "en" else "en"
    name = {"en": "English", "zh": "中文"}[other]
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{WORDS[language]['title']} · {escape(company)}</title><style>{_STYLE}</style></head><body>"
        f'<nav><a href="?lang={other}" lang="{other}" hreflang="{other}">{name}</a></nav>'
        f"<main><h1>{escape(company)}</h1>{body}</main></body></html>"
    )


def said(company: str, language: str, what: str) -> str:
    """The page that says only this."""
    return _page(company, language, f'<p role="status" data-testid="said">{WORDS[language][what]}</p>')


def form(company: str, language: str, kind: str, *, wrong: bool = False) -> str:
    """The page with the question; ``wrong``: no number of the scale was chosen."""
    words, (low, high) = WORDS[language], bounds(kind)
    first, last = words[f"{kind}_ends"]
    buttons = "".join(
        f'<label><input type="radio" name="score" value="{each}" required> {each}</label>'
        for each in range(low, high + 1)
    )
    fault = f'<p role="alert">{words["invalid"]}</p>' if wrong else ""
    return _page(
        company,
        language,
        f'<form method="post" action="?lang={language}">{fault}<fieldset><legend>{words[kind]}</legend>'
        f'<div class="scale">{buttons}</div>'
        f'<p class="ends"><span>{low}: {first}</span><span>{high}: {last}</span></p></fieldset>'
        f'<label>{words["comment"]}<textarea name="comment" maxlength="{LONGEST_COMMENT}"></textarea></label>'
        f'<button type="submit">{words["send"]}</button></form>',
    )
