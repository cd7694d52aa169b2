"""The routing engine: contacts, agents, queues and offers as a pure, replayable machine."""
