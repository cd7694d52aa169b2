"""The call-flow language: flows as data, interpreted by a pure machine."""
