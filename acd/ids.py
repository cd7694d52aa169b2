"""Names of the things the engine routes; plain strings on the wire, distinct types in code."""

from typing import NewType

AgentId = NewType("AgentId", str)
QueueId = NewType("QueueId", str)
ContactId = NewType("ContactId", str)
OfferId = NewType("OfferId", str)
