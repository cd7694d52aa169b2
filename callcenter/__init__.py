"""The contact center: everything that touches sockets, clocks and disks, and the wiring of the parts."""

__version__ = "0.1.0"
