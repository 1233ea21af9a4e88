"""The simulator: a whole controller in one thread and virtual time, in a world that does its worst. See docs/simulator.md."""
