"""Flows that do nothing but wait in the queue *sales*, with and without a way on for who is sent back."""

NO_WAY_BACK = """
[flow]
name = "main"
start = "answer"
languages = ["en"]

[prompts.sorry]
en = "We are sorry."

[steps.answer]
type = "answer"
next = "wait"

[steps.wait]
type = "queue"
queue = "sales"
"""
"""The queue's own end is the call's end."""


def way_back(reason: str) -> str:
    """Who is sent back hears an apology, and the call ends with this reason."""
    return f"""{NO_WAY_BACK}otherwise = "sorry"

[steps.sorry]
type = "play"
prompt = "sorry"
next = "end"

[steps.end]
type = "hang_up"
reason = "{reason}"
"""
