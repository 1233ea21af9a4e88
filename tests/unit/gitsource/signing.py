"""Real keys of people, and commits signed with them in a real repository."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

MAIN = "refs/heads/main"


def run(folder: Path, *words: str, **env: str) -> str:
    done = subprocess.run(
        words, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def ssh_key(folder: Path, name: str) -> Path:
    path = folder / f"{name}.key"
    run(folder, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path))
    return path


def signers(folder: Path, **people: Path) -> Path:
    """A file that lets these people sign with these keys."""
    file = folder / "allowed_signers"
    lines = [f"{name}@example.com {key.with_name(f'{key.name}.pub').read_text()}" for name, key in people.items()]
    file.write_text("".join(lines))
    return file


class Signed:
    """An ordinary clone with `manifests/`, whose commits are signed as each call says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, **env: str) -> str:
        return run(self.folder, "git", *words, **env)

    def commit(self, text: str, key: Path | str | None = None, *, path: str = "manifests/a.yaml", **env: str) -> str:
        """`key`: a file is an ssh key, a text the address of a gpg key."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.git("add", "-A")
        sort = "openpgp" if isinstance(key, str) else "ssh"
        how = ["-c", f"gpg.format={sort}", "-c", f"user.signingKey={key}"]
        sign = ["-S"] if key is not None else ["--no-gpg-sign"]
        self.git(*how, "commit", "-q", "--allow-empty", *sign, "-m", text.partition("\n")[0][:40] or "empty", **env)
        return self.git("rev-parse", "HEAD")


@contextlib.contextmanager
def keyring(folder: Path) -> Iterator[Path]:
    """A home of gpg; what it starts by itself is ended."""
    folder.mkdir(mode=0o700)
    before = os.environ.get("GNUPGHOME")
    os.environ["GNUPGHOME"] = str(folder)
    try:
        yield folder
    finally:
        run(folder, "gpgconf", "--kill", "all")
        os.environ.pop("GNUPGHOME")
        if before is not None:
            os.environ["GNUPGHOME"] = before


def gpg_key(home: Path, address: str) -> None:
    run(home, "gpg", "--batch", "--passphrase", "", "--quick-generate-key", address, "ed25519", "sign", "never")
