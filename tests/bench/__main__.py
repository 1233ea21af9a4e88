"""make bench P="P2 P8": runs the named benches, all without a name; exits 1 when a figure is over its goal."""

import sys

from tests.bench import harness

if __name__ == "__main__":
    sys.exit(harness.main(sys.argv[1:]))
