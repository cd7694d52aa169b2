"""HTTP routes of the console."""
