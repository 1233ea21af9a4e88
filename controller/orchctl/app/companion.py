"""A controller of our own for as long as one command runs: `run` and `quickstart` start it when none is there.

It is a separate process group, so that ^C reaches only the command, which then stops it in good order. Stopping it
stops no agent: they stay for the next controller to take over.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from orchctl.app.read.locate import Place

STOP_S = 10.0
OUTPUT_SHOWN_BYTES = 4000


class Companion:
    """Use as a context manager: leaving it ends the process."""

    def __init__(self, place: Place, environ: Mapping[str, str], ref: str | None = None) -> None:
        self._output = tempfile.TemporaryFile(prefix="orchctl-controller-")  # noqa: SIM115
        argv = [sys.executable, "-m", "orchctl", "controller", "--until-idle", "--repo", place.root]
        self._process = subprocess.Popen(
            argv + (["--ref", ref] if ref else []),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            cwd=place.root,
            env=dict(environ) | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
            start_new_session=True,
        )

    def __enter__(self) -> Companion:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def finish(self, timeout_s: float) -> int | None:
        """Let it end by itself; None if it still has other work then."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            if self.finish(STOP_S) is None:
                self._process.kill()
                self._process.wait(STOP_S)
        self._output.close()

    def last_words(self) -> list[str]:
        """What it printed last, for when it ended without being asked."""
        size = os.fstat(self._output.fileno()).st_size
        data = os.pread(self._output.fileno(), OUTPUT_SHOWN_BYTES, max(0, size - OUTPUT_SHOWN_BYTES))
        return data.decode("utf-8", "replace").splitlines()[-20:]
