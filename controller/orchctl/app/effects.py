"""Carries out actions: each effect becomes calls to a port, and what came of it becomes facts.

Called from worker threads, one action per call. It never decides and never retries. Every port finds what an earlier
call with the same arguments did, so carrying out an action again after a crash is the probe and the recovery in one.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchctl.adapters.backends import plans, registry
from orchctl.adapters.executors import starter
from orchctl.adapters.gitsource import addresses, remotes, repository
from orchctl.adapters.host import windows
from orchctl.adapters.probes import programs, secret_files
from orchctl.adapters.templates import rendering
from orchctl.app import scouting, sweeping
from orchctl.core import accounts, actions, events, judgements, ports
from orchctl.core.gates import commits, files
from orchctl.core.ids import AttemptId, Key
from orchctl.core.resolve import CONTROL_REPO
from orchctl.core.state import Program
from orchctl.kit import globs, text

TAIL_BYTES = 4096
PATHS_KEPT_MAX = 200  # of a change, in the ledger: enough to name; the whole is in git
MERGE_AUTHOR = ("orchctl", "controller@orchctl.invalid")


class Effects:
    """The ports of one controller, behind one method per effect."""

    def __init__(
        self,
        executor: ports.Executor,
        workspace: ports.Workspace,
        *,
        control_repo: Path,
        sessions: Path,
        environ: Mapping[str, str],
        python: str,
    ) -> None:
        self.executor = executor
        self.workspace = workspace
        self._control_repo = control_repo
        self._control_url = self._address()
        self._sessions = sessions
        self._environ = environ
        self._python = python
        self._programs = programs.Programs(environ, python, sessions.parent / "probes")
        self._secret_files = secret_files.SecretFiles(environ, control_repo)
        self._renderer = rendering.Renderer(python)
        self._handlers: dict[type[actions.Effect], Callable[[actions.Action, Any], list[events.Event]]] = {
            actions.SyncHub: self._sync_hub,
            actions.CreateTree: self._create_tree,
            actions.RenderPrompt: self._render_prompt,
            actions.RunAgent: self._run_agent,
            actions.CommitLeftovers: self._commit_leftovers,
            actions.ImportWork: self._import_work,
            actions.FindWindow: self._find_window,
            actions.CreateRoom: self._create_room,
            actions.RunCheck: self._run_check,
            actions.CancelAttempt: self._cancel_attempt,
            actions.MergeWork: self._merge_work,
            actions.LandWork: self._land_work,
            actions.RemoveTree: self._remove_tree,
        }
        assert set(self._handlers) == set(actions.EFFECTS.values()), "every effect has a handler"

    def execute(self, action: actions.Action) -> list[events.Event]:
        """Do it, or find that it was done; a failure of the world is an outcome like any other."""
        try:
            return self._handlers[type(action.do)](action, action.do)
        except (ports.WorldError, OSError) as error:
            transient = not isinstance(error, ports.PermanentError)
            said = text.one_line(str(error))
            failed = events.ActionFailed(
                action.object, action=action.key, verb=action.do.verb, transient=transient, message=said
            )
            return [failed]

    # --- git ----------------------------------------------------------------------------------------------------

    def _address(self) -> str | None:
        """Of a control repo that is elsewhere: what is here is only a mirror of it."""
        return remotes.remote_of(repository.ControlRepo.open(self._control_repo).common_dir)

    def _repo(self, repo: str) -> str:
        """The project's repo as a path or URL that means the same from anywhere."""
        if repo == CONTROL_REPO:
            return self._control_url or str(self._control_repo)
        if "://" in repo or (":" in repo and not repo.startswith((".", "/"))):
            return repo
        if self._control_url is not None and not Path(repo).is_absolute():
            raise ports.PermanentError(f"{repo} is relative to a control repo that is elsewhere: use its address")
        return os.path.realpath(self._control_repo / repo)  # of links that lead back to themselves git complains

    def _branch(self, repo: str, branch: str) -> str:
        if branch:
            return branch
        if "://" in repo:
            raise ports.PermanentError(f"which branch of {repo}? set `spec.repo.branch` of its Project")
        found = repository.ControlRepo.open(self._repo(repo)).head_branch()
        if found is None:
            raise ports.PermanentError(f"{repo} has a detached HEAD: set `spec.repo.branch` of its Project")
        return found

    def _sync_hub(self, action: actions.Action, do: actions.SyncHub) -> list[events.Event]:
        branch = self._branch(do.repo, do.branch)
        synced = self.workspace.sync(do.project, self._repo(do.repo), branch)
        control = self._is_control(do.repo)
        fact = events.HubSynced(
            action.object, action.key, branch=branch, head=synced.head, tree=synced.tree, control=control
        )
        return [fact]

    def _is_control(self, repo: str) -> bool:
        """Whether this is the repo of the manifests, by whatever name it was called."""
        return addresses.is_same(self._repo(repo), self._control_url or str(self._control_repo))

    def _create_tree(self, action: actions.Action, do: actions.CreateTree) -> list[events.Event]:
        path = self.workspace.create_tree(do.project, do.name, do.branch, do.commit)
        return [events.TreeCreated(action.object, action.key, path=path)]

    def _import_work(self, action: actions.Action, do: actions.ImportWork) -> list[events.Event]:
        got = self.workspace.import_work(do.project, do.name, do.ref, do.base)
        self.workspace.move_branch(do.project, do.branch, got.commit)
        return [
            events.WorkImported(
                action.object,
                action.key,
                commit=got.commit,
                tree=got.tree,
                paths=got.paths[:PATHS_KEPT_MAX],
                protected=_protected(got.paths, do.protected),
                commits=got.commits,
                outside=_outside(got.paths, do.touches),
                changed=len(got.paths),
                offending=tuple((rule.digest, files.offending(rule, got.paths)) for rule in do.files),
                log=tuple(commits.line(oid, message) for oid, message in got.log),
            )
        ]

    def _find_window(self, action: actions.Action, do: actions.FindWindow) -> list[events.Event]:
        opens, closes = windows.edges(do.rule.cron, do.rule.time_zone, do.rule.duration_s, do.at)
        found = judgements.FoundWindow(do.stage, do.gate, do.at, opens=opens, closes=closes)
        return [events.WindowFound(action.object, action.key, found)]

    def _create_room(self, action: actions.Action, do: actions.CreateRoom) -> list[events.Event]:
        path = self.workspace.create_room(do.project, do.name, do.commit)
        return [events.RoomCreated(action.object, action.key, path=path, commit=do.commit)]

    def _merge_work(self, action: actions.Action, do: actions.MergeWork) -> list[events.Event]:
        by = ports.Identity(*MERGE_AUTHOR, at=do.at)
        made = self.workspace.merge(do.project, do.target, do.head, do.message, by)
        if isinstance(made, ports.Conflicted):
            return [events.MergeConflicted(action.object, action.key, target=do.target, paths=made.paths)]
        return [
            events.MergeMade(
                action.object,
                action.key,
                target=do.target,
                commit=made.commit,
                tree=made.tree,
                paths=made.paths[:PATHS_KEPT_MAX],
                protected=_protected(made.paths, do.protected),
            )
        ]

    def _land_work(self, action: actions.Action, do: actions.LandWork) -> list[events.Event]:
        landing = self.workspace.land(do.project, self._repo(do.repo), do.branch, do.new, do.old)
        tried = events.LandTried(action.object, action.key, result=landing.result, commit=do.new, paths=landing.paths)
        return [tried]

    def _remove_tree(self, action: actions.Action, do: actions.RemoveTree) -> list[events.Event]:
        if do.salvage and self.workspace.tree_path(do.project, do.name) is not None:
            self.workspace.salvage(do.project, do.name, do.salvage)
        self.workspace.remove_tree(do.project, do.name)
        if do.branch:
            self.workspace.drop_branch(do.project, do.branch)
        return [events.TreeRemoved(action.object, action.key, name=do.name)]

    def target_is_clean(self, do: actions.LandWork) -> bool:
        """Whether to try landing again: the dirty paths are clean now, or it has to say itself what is wrong."""
        try:
            return not self.workspace.blocked_by(do.project, self._repo(do.repo), do.branch, do.new, do.old)
        except ports.PermanentError:
            return True
        except (ports.TransientError, OSError):
            return False

    def look_for(self, look: scouting.Look) -> list[events.Event]:
        """What is news about the program of an agent, or the files of an account."""
        if isinstance(look.sought, accounts.Files):
            return scouting.account_news(look, look.sought, self._secret_files.problem(look.sought.secrets))
        known = look.before if isinstance(look.before, Program) else None
        return scouting.news(look, look.sought, self._programs.look(look.sought, known))

    # --- attempts -----------------------------------------------------------------------------------------------

    def _environment(self, extra: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        home = self._environ.get("HOME", str(Path.home()))
        return plans.base_env(home, self._environ.get("PATH", os.defpath), extra, self._environ)

    def _render_prompt(self, action: actions.Action, do: actions.RenderPrompt) -> list[events.Event]:
        """Long values go to files among the sessions' records, in a folder no attempt can be called."""
        made = self._renderer.render(dict(do.texts), json.loads(do.roots), self._sessions / sweeping.VALUES)
        return [events.PromptRendered(action.object, action.key, digest=made.digest, texts=tuple(made.texts.items()))]

    def _run_agent(self, action: actions.Action, do: actions.RunAgent) -> list[events.Event]:
        secrets = self._secret_files.values(do.secrets)
        prompt_file = self._text_file(do.attempt, "prompt", do.prompt)
        request = plans.LaunchRequest(
            agent=do.agent,
            command=do.command,
            prompt=do.prompt,
            prompt_file=prompt_file,
            env=self._environment((*do.env, *secrets)),
            attempt_number=do.number,
            worktree=do.cwd,
            model=do.model,
        )
        try:
            plan = registry.find(do.backend).launch(request)
        except plans.LaunchError as error:
            raise ports.PermanentError(str(error)) from error
        values = tuple(value for _, value in secrets)
        spec = ports.AttemptSpec(do.attempt, plan.argv, do.cwd, plan.env, stdin=plan.stdin, secrets=values)
        return self._submitted(action, spec, do.backend)

    def _commit_leftovers(self, action: actions.Action, do: actions.CommitLeftovers) -> list[events.Event]:
        message_file = self._text_file(do.attempt, "message", do.message)
        argv = (self._python, "-I", "-S", str(starter.program("leftovers.py")), message_file)
        return self._submitted(action, ports.AttemptSpec(do.attempt, argv, do.cwd, self._environment(do.env)))

    def _run_check(self, action: actions.Action, do: actions.RunCheck) -> list[events.Event]:
        argv = ("sh", "-c", do.run)
        return self._submitted(action, ports.AttemptSpec(do.attempt, argv, do.cwd, self._environment(do.env)))

    def _text_file(self, attempt: AttemptId, what: str, text: str) -> str:
        """A file beside the attempt's folder; written whole each time, as a crash may have cut it."""
        path = self._sessions / f"{attempt}.{what}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(path, flags, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
        return str(path)

    def _submitted(self, action: actions.Action, spec: ports.AttemptSpec, backend: str = "") -> list[events.Event]:
        seen = self._submit(spec)
        started = events.AttemptStarted(action.object, action.key, attempt=spec.attempt, pid=seen.pid or 0)
        return [started, *([self._ended(action.object, seen, backend)] if seen.phase.ended else [])]

    def _submit(self, spec: ports.AttemptSpec) -> ports.Observation:
        """A start that failed may have come true, now or in an earlier call, or may still do so.

        What runs is watched, also where nothing can be told of it: a second one beside it would be one too many. Only
        what certainly never came to life is a failure.
        """
        try:
            return self.executor.submit(spec)
        except ports.TransientError:
            seen = self._made_sure_of(spec.attempt)
            if seen.phase in (ports.Phase.ABSENT, ports.Phase.CANCELLED):
                raise
            return seen

    def _made_sure_of(self, attempt: AttemptId) -> ports.Observation:
        """What came of a start that failed; it is ended unless it was seen at work, as it could begin at any time."""
        try:
            seen = self.executor.observe(attempt)
            if seen.phase is ports.Phase.RUNNING or seen.phase.ended:
                return seen
            return self.executor.cancel(attempt, 0.0)
        except ports.TransientError as error:
            return ports.Observation(attempt, ports.Phase.UNKNOWN, detail=str(error))

    def _cancel_attempt(self, action: actions.Action, do: actions.CancelAttempt) -> list[events.Event]:
        seen = self.executor.cancel(do.attempt, do.grace_s)
        done = events.CancelDone(action.object, action.key, attempt=do.attempt)
        if seen.phase is ports.Phase.ABSENT:
            seen = dataclasses.replace(seen, phase=ports.Phase.LOST, detail="it was never started")
        if not seen.phase.ended:
            raise ports.TransientError(f"attempt {do.attempt} cannot be seen to have ended: {seen.detail}")
        return [done, self._ended(action.object, seen, "", do.reason)]

    def look(self, key: Key, attempt: AttemptId, backend: str) -> events.Event | None:
        """The end of a started attempt, if it has ended; None while it runs or nothing can be told.

        `backend` says what an agent's exit means; empty for a check or a commit.
        """
        try:
            seen = self.executor.observe(attempt)
        except ports.PermanentError as error:
            seen = ports.Observation(attempt, ports.Phase.LOST, detail=str(error))
        except (ports.TransientError, OSError):
            return None
        if seen.phase is ports.Phase.ABSENT:
            seen = dataclasses.replace(seen, phase=ports.Phase.LOST, detail="its records are gone")
        return self._ended(key, seen, backend) if seen.phase.ended else None

    def exit_fd(self, attempt: AttemptId) -> int | None:
        try:
            return self.executor.exit_fd(attempt)
        except (ports.WorldError, OSError):
            return None  # looked at instead, which says what is wrong

    def _tail(self, attempt: AttemptId) -> bytes:
        """The last of what was kept; less than was printed when the log's limit cut the middle out."""
        log = self._sessions / attempt / "raw.log"
        size = log.stat().st_size if log.exists() else 0
        return self.executor.read(attempt, max(0, size - TAIL_BYTES), TAIL_BYTES)

    def _ended(self, key: Key, seen: ports.Observation, backend: str, why: str = "") -> events.Event:
        tail = self._tail(seen.attempt)
        reason, message = _meaning(seen, tail, backend, why)
        return events.AttemptEnded(
            key,
            attempt=seen.attempt,
            phase=seen.phase,
            exit_code=seen.exit_code,
            signal=seen.signal,
            output_bytes=seen.output_bytes,
            reason=reason,
            message=message,
            tail=tail.decode("utf-8", "replace"),
        )


def _protected(paths: tuple[str, ...], patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The first of the paths that are under a protected glob; all paths are looked at."""
    hits = (path for path in paths if any(globs.matches(path, pattern) for pattern in patterns))
    return tuple(itertools.islice(hits, PATHS_KEPT_MAX))


def _outside(paths: tuple[str, ...], touches: tuple[str, ...]) -> tuple[str, ...]:
    """The first of the paths that no glob of `touches` means; without any glob all paths are meant."""
    beyond = (path for path in paths if touches and not any(globs.matches(path, pattern) for pattern in touches))
    return tuple(itertools.islice(beyond, PATHS_KEPT_MAX))


def _meaning(seen: ports.Observation, tail: bytes, backend: str, why: str) -> tuple[str, str]:
    if seen.phase is ports.Phase.LOST:
        return "Lost", seen.detail or "its shim is gone and left no exit record"
    if seen.phase is ports.Phase.CANCELLED:
        return "Cancelled", why or "it was stopped"
    if seen.exit_code in (126, 127) and seen.detail:
        return "NotExecutable" if seen.exit_code == 126 else "NotFound", seen.detail
    classify = registry.find(backend).classify if backend else plans.classify_exit
    outcome = classify(seen.exit_code, seen.signal, tail)
    return str(outcome.reason), outcome.message
