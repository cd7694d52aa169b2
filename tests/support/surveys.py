"""A flow that asks the customer what it was like, after the agent has hung up."""

from ivr.flows import demo_flow_text

ASK = """
[prompts.how_was_it]
en = "How satisfied are you, from one to five?"
zh = "请按一到五评价。"

[steps.ask]
type = "survey"
kind = "{kind}"
prompt = "how_was_it"
attempts = 2
next = "thanks"
on_failure = "thanks"

[steps.thanks]
type = "hang_up"
"""


def surveying_flow(kind: str = "csat") -> str:
    """The demo's flow, which asks whoever an agent has hung up on."""
    return demo_flow_text().replace('type = "queue"', 'type = "queue"\nsurvey = "ask"') + ASK.format(kind=kind)
