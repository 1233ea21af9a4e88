"""The composition root: builds a controller for one control repo and runs it until told to stop.

The only place that knows every adapter. `assemble` lets tests wrap the ports of a real controller, which is how
crashes are put at every point of it without a word about crashes in production code.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from orchctl.adapters.executors import local
from orchctl.adapters.gitsource import fetching, remotes, repository, signatures, source, watcher
from orchctl.adapters.host import clock as clocks
from orchctl.adapters.host import inbox, locks, memory
from orchctl.adapters.ledger import store
from orchctl.adapters.manifests import cache, catalog
from orchctl.adapters.workspace import adapter as workspaces
from orchctl.app import (
    admission,
    authorship,
    driver,
    effects,
    freememory,
    leaving,
    pressure,
    requests,
    revisions,
    sealing,
    statusfiles,
    sweeping,
)
from orchctl.app import places as place_names
from orchctl.app.read import locate
from orchctl.core import ports, runtime, views
from orchctl.core.ids import Key

ALLOWED_SIGNERS = "allowed_signers"  # in the state folder
EFFECTS_DEADLINE_S = 60.0
EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_HELD = 0, 1, 2, 8


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """What a test may wrap."""

    recorder: driver.Recorder
    doer: driver.Doer


def _as_built(parts: Parts) -> Parts:
    return parts


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for."""

    repo: str  # a folder, or the address of a repo that is elsewhere
    ref: str | None = None
    until_idle: bool = False
    allowed_signers: str | None = None
    retain_s: float = sealing.RETAIN_S


def run_controller(wish: Wish, announce: Callable[[str], None], wrap: Callable[[Parts], Parts] = _as_built) -> int:
    """Run in the foreground; the exit code of the process."""
    try:
        with _controller_of(wish, os.environ, announce) as built:
            return asyncio.run(_run(built, wish.until_idle, wrap))
    except locks.Held as held:
        announce(f"error: {held}")
        return EXIT_HELD
    except store.LedgerError as error:
        announce(f"error: {error}")
        return EXIT_FAILED
    except ports.WorldError as error:
        announce(f"error: {error}")
        return EXIT_USAGE


@dataclasses.dataclass(frozen=True, slots=True)
class _Built:
    ledger: store.Ledger
    machine: runtime.Runtime
    effects: effects.Effects
    facts: driver.Facts
    inbox: Path
    clock: clocks.Clock
    git_dir: Path
    ref: str
    show: Callable[[list[views.Row], list[Key], list[str]], None]
    fetcher: fetching.Fetcher | None


@contextlib.contextmanager
def _controller_of(wish: Wish, environ: Mapping[str, str], announce: Callable[[str], None]) -> Iterator[_Built]:
    repo = _mirrored(wish.repo, environ)
    control = repository.ControlRepo.open(repo)
    uid = repository.repo_uid(control.git_dir)
    where = place_names.places(repo.resolve(), uid, environ)
    with contextlib.ExitStack() as stack:
        lease = locks.take_lease(where.state / "lease.lock", {"pid": os.getpid(), "repo": str(repo)})
        stack.callback(os.close, lease)
        held = locks.take_effects(where.state / "effects.lock", EFFECTS_DEADLINE_S)
        stack.callback(os.close, held)
        ledger = store.Ledger(where.ledger)
        stack.callback(ledger.close)
        _same_repo(ledger, where.repo, uid)
        full_ref = _watched_ref(ledger, control, wish.ref, announce)
        signers = where.state / ALLOWED_SIGNERS
        if wish.allowed_signers is not None:
            signatures.pin(control, Path(wish.allowed_signers), signers)
        machine, clock = _warm_start(ledger)
        ledger.set_meta(control_repo=str(where.repo), ref=full_ref)
        executor = local.LocalExecutor(where.sessions, where.runtime)
        stack.callback(executor.close)
        workspace = workspaces.GitWorkspace(where.state, effects_fd=held)
        stack.callback(workspace.close)
        workspace.sweep()
        sweeping.sweep(machine.state, where.sessions, executor)
        doer = effects.Effects(
            executor,
            workspace,
            control_repo=where.repo,
            sessions=where.sessions,
            environ=environ,
            python=sys.executable,
        )
        git = source.GitSource(repo, full_ref)
        target = remotes.target_of(control, full_ref)
        fetcher = fetching.Fetcher(target, where.state / "fetched") if target is not None else None
        heads = revisions.Revisions(git, signatures.Signatures(control, signers), fetcher)
        parsed = cache.ParseCache(where.state / "cache.db")
        stack.callback(parsed.close)
        admitted = admission.Admission(git, uid, catalog.documents(), parsed, heads)
        asked = inbox.Inbox(where.state)
        asked.make()
        announce(f"watching {full_ref} of {target.shown if target else where.repo} (state in {where.state})")
        show = _shower(repo, where.state, environ, announce, machine)
        said = requests.Intake(asked, authorship.Attributed(admitted, git.repo), announce)
        watched = pressure.DiskWatch(ledger.reserve, str(where.state), said)
        intake = freememory.MemoryWatch(watched, memory.free_bytes)
        aged = sealing.Sealing(intake, where.ledger, wish.retain_s, clock.now, announce)
        stack.callback(aged.close)
        yield _Built(ledger, machine, doer, aged, asked.folder, clock, control.git_dir, full_ref, show, fetcher)


def _mirrored(repo: str, environ: Mapping[str, str]) -> Path:
    """The folder of a repo that is here, or of our mirror of one that is not."""
    if not locate.is_remote(repo):
        return Path(repo)
    place = locate.locate(repo, environ)
    assert place.remote is not None
    remotes.make_mirror(Path(place.git_dir), place.remote)
    return Path(place.git_dir)


def _same_repo(ledger: store.Ledger, repo: Path, uid: str) -> None:
    """A repo that was moved keeps its state; a copy of one that is still there must not take part in it."""
    before = Path(ledger.meta("control_repo") or repo)
    if before == repo or not before.is_dir():
        return
    original = repository.ControlRepo.open(before)
    if repository.existing_uid(original.git_dir) == uid and original.common_dir != _common_dir(repo):
        mark = _common_dir(repo) / repository.UID_FILE
        raise ports.PermanentError(f"{repo} is a copy of {before}; remove {mark} to give it a state of its own")


def _common_dir(repo: Path) -> Path:
    return repository.ControlRepo.open(repo).common_dir


def _watched_ref(
    ledger: store.Ledger, control: repository.ControlRepo, ref: str | None, announce: Callable[[str], None]
) -> str:
    """What was said, else what was watched before, else HEAD's branch: checking out another one changes nothing."""
    head = control.head_branch()
    remote = remotes.remote_of(control.common_dir)
    if remote is not None and not ref and not ledger.meta("ref"):
        head = remotes.settle_head(control.common_dir, remote)
    branch = ref or ledger.meta("ref") or head
    if branch is None:
        raise ports.PermanentError("HEAD is detached: say with --ref which branch holds the manifests")
    full_ref = repository.full_ref(branch)
    if head is not None and remote is None and full_ref != repository.full_ref(head) and not ref:
        announce(f"note: HEAD is at {head}; the manifests are still read from {full_ref} (--ref changes that)")
    if control.resolve(full_ref) is None:
        announce(f"note: {full_ref} has no commit yet; the controller waits for one")
    return full_ref


def _warm_start(ledger: store.Ledger) -> tuple[runtime.Runtime, clocks.Clock]:
    """The state as the last turn left it; the clock goes on where the last record left it."""
    ledger.begin_epoch()
    anchor = clocks.anchored(ledger.meta("clock"), ledger.last_moment())
    ledger.set_meta(clock=anchor.encoded())
    return runtime.Runtime(ledger.state()), clocks.Clock(anchor)


def _shower(
    repo: Path,
    state_dir: Path,
    environ: Mapping[str, str],
    announce: Callable[[str], None],
    machine: runtime.Runtime,
) -> Callable[[list[views.Row], list[Key], list[str]], None]:
    """Publishes what a turn changed: status files for the objects of git, lines for the terminal.

    The files may have been lost, or be behind the ledger by a crash, so they begin as what the ledger says.
    """
    files = statusfiles.StatusFiles.beside(locate.locate(str(repo), environ), state_dir)

    def show(rows: list[views.Row], removed: list[Key], lines: list[str]) -> None:
        with _warned(announce):
            files.write([*_bodies(rows), *((str(key), None) for key in removed)])
        for line in lines:
            announce(line)

    with _warned(announce):
        rows = [views.row(machine.state, obj) for obj in machine.state.objects.values()]
        files.rebuild([(key, body) for key, body in _bodies(rows) if body is not None])
    return show


def _bodies(rows: list[views.Row]) -> list[tuple[str, str | None]]:
    """What becomes a status file: all but the built-in objects, which are not the user's."""
    builtin = f'"orchctl.dev/source":"{leaving.BUILTIN}'
    return [(str(row.key), None if builtin in row.body else row.body) for row in rows]


@contextlib.contextmanager
def _warned(announce: Callable[[str], None]) -> Iterator[None]:
    """Status files are for convenience: that one cannot be written stops nothing."""
    try:
        yield
    except OSError as error:
        announce(f"warning: status files could not be written: {error}")


async def _run(built: _Built, until_idle: bool, wrap: Callable[[Parts], Parts]) -> int:
    parts = wrap(Parts(built.ledger, built.effects))
    loop = driver.Driver(built.machine, parts.recorder, parts.doer, built.facts, built.clock, built.show)
    fetcher = built.fetcher

    def stop() -> None:
        loop.stop()
        if fetcher is not None:
            fetcher.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    if fetcher is not None:
        fetcher.changed = loop.hint
        if until_idle:  # what is there to be done is not known before
            await asyncio.get_running_loop().run_in_executor(None, fetcher.once)
        fetcher.start()
    hints = watcher.RefWatcher(built.git_dir, built.ref, loop.hint, also=built.inbox)
    hints.start()
    try:
        await loop.run(until_idle=until_idle)
    finally:
        hints.stop()
        if fetcher is not None:
            fetcher.stop()
    if loop.abandoned:
        # Threads cannot be ended. Leaving at once drops the locks with them, never before them.
        sys.stdout.flush()
        os._exit(EXIT_OK)
    return EXIT_OK
