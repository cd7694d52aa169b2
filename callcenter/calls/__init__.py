"""Calls: the leg-event language, the call machine, and the tasks that own calls."""
