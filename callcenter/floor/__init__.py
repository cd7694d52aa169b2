"""The live floor as a fold of facts: agents, queues and contacts as consoles see them."""
