"""The simulator: a whole controller in one thread and virtual time, in a world that does its worst.

What it does and how to use it: docs/simulator.md.
"""
