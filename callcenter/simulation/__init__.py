"""Scenarios of the simulator as people write them, in the words of the site file."""
