"""Whether a commit has a good signature of somebody who may give one, by ssh or gpg.

Called by admission in the git thread. Who may is said outside of what is judged: for ssh by a file of allowed signers
that the controller was given, or that the user's git configuration names; for gpg by the trust the user's keyring has
in the key. Names in the commit prove nothing and are not looked at. Must never read signers out of the control repo.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path

from orchctl.adapters.gitsource import commands, repository
from orchctl.core.ids import Oid
from orchctl.core.ports import PermanentError, WorldError
from orchctl.kit import text

DEADLINE_S = 20.0
SIGNERS_BYTES_MAX = 1024 * 1024
TRUSTED = ("fully", "ultimate")
_SSH = "-----BEGIN SSH SIGNATURE-----"
# What the repo's own configuration says about it does not count: an agent that can write there must gain nothing.
_PROGRAMS = ("gpg.program=gpg", "gpg.openpgp.program=gpg", "gpg.ssh.program=ssh-keygen", "gpg.x509.program=false")
_SAID = {
    "N": "it is not signed",
    "B": "its signature is bad: it was made for something else, or the commit was changed",
    "X": "its signature has expired",
    "Y": "its signature is of a key that has expired",
    "R": "its signature is of a key that was revoked",
    "E": "its signature is of a key that is not in the keyring",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    good: bool
    signer: str = ""
    reason: str = ""  # why it is not good


class Signatures:
    def __init__(self, control: repository.ControlRepo, pinned: Path) -> None:
        self._control = control
        self._pinned = pinned  # allowed signers the controller was given; may not be there

    def judge(self, commit: Oid) -> Verdict:
        signature = self._control.signature_of(commit)
        if not signature:
            return Verdict(False, reason=_SAID["N"])
        try:
            signers = self._signers() if signature.lstrip().startswith(_SSH) else None
            return self._judged(commit, signers)
        except WorldError as error:
            return Verdict(False, reason=f"its signature cannot be verified: {error}")

    def _judged(self, commit: Oid, signers: Path | None) -> Verdict:
        said, key, who = [*self._shown(commit, "%G?%n%GF%n%GS", signers), "", ""][:3]
        if said not in ("G", "U"):
            return Verdict(False, reason=_SAID.get(said, "its signature cannot be verified"))
        if signers is not None and (said == "U" or not who):
            return Verdict(False, reason=f"its signature is of {key or 'a key'}, which no allowed signer has")
        # Asked for apart: git ends with a complaint about itself when a signature has no trust.
        if self._shown(commit, "%GT", signers)[0] not in TRUSTED:
            return Verdict(False, reason=f"its signature is of {who}, a key the keyring does not trust: {key}")
        return Verdict(True, signer=f"{who} ({key})")

    def _shown(self, commit: Oid, form: str, signers: Path | None) -> list[str]:
        config = (*_PROGRAMS, f"gpg.ssh.allowedSignersFile={signers or '/dev/null'}")
        words = ("log", "-1", "--no-show-signature", "--no-mailmap", f"--format={form}", str(commit), "--")
        done = commands.run(self._control.git_dir, words, deadline_s=DEADLINE_S, config=config, as_user=False)
        if done.code:
            raise PermanentError(text.one_line(done.err))
        return [text.one_line(line) for line in done.out.split("\n")]

    def _signers(self) -> Path:
        if self._pinned.is_file():
            return self._pinned
        key = "gpg.ssh.allowedSignersFile"
        named = commands.run(self._control.git_dir, ("config", "--path", "--get", key), deadline_s=DEADLINE_S)
        given = named.out.strip()
        if not given:
            raise PermanentError("nobody may sign yet: run `orchctl controller --allowed-signers FILE` once")
        if not os.path.isabs(given):
            raise PermanentError(f"{key} is {text.one_line(given)}, which is no absolute path")
        outside(self._control, Path(given))
        return Path(given)


def outside(control: repository.ControlRepo, signers: Path) -> None:
    """Refuses signers that the control repo itself could bring along."""
    real = Path(os.path.realpath(signers))
    tops = [top for top in control.work_trees() if real.is_relative_to(top)]
    if tops and not real.is_relative_to(control.common_dir):
        raise PermanentError(f"{signers} is in the control repo, which would then say itself who may sign it")


def pin(control: repository.ControlRepo, given: Path, pinned: Path) -> None:
    """Keep a copy of the allowed signers: what the file becomes later changes nothing until it is given again."""
    outside(control, given)
    try:
        with given.open("rb") as stream:
            data = stream.read(SIGNERS_BYTES_MAX + 1)
    except OSError as error:
        raise PermanentError(f"{given} cannot be read: {error.strerror}") from error
    lines = [line for line in data.splitlines() if line.strip() and not line.lstrip().startswith(b"#")]
    if not lines or len(data) > SIGNERS_BYTES_MAX or any(len(line.split()) < 3 for line in lines):
        raise PermanentError(f"{given} must have lines such as `ann@example.com ssh-ed25519 AAAA...`")
    fresh = pinned.with_name(f"{pinned.name}.new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(data)
    fresh.rename(pinned)
