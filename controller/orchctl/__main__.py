"""`python -m orchctl`: the same as the `orchctl` command; also how a child controller is started."""

import sys

from orchctl.cli import main

sys.exit(main.main())
