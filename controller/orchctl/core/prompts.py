"""The texts the controller writes: what an agent is asked, and what commits say."""

from __future__ import annotations

from collections.abc import Mapping

from orchctl.api import templated
from orchctl.core.plan import Plan, StagePlan

FEEDBACK_LENGTH_MAX = 16_000  # characters of check output handed back to the agent
SUBJECT_LENGTH_MAX = 72


def template_texts(stage: StagePlan) -> tuple[tuple[str, str], ...]:
    """The texts of the stage that have expressions in them, each under a name that tells people where it is."""
    found = ((_system_of(stage), stage.system), (_prompt_of(stage), stage.prompt))
    return tuple((name, text) for name, text in found if templated.is_template(text))


def _system_of(stage: StagePlan) -> str:
    return f"system of role {stage.role}"


def _prompt_of(stage: StagePlan) -> str:
    return f"prompt of stage {stage.name}"


def agent_prompt(plan: Plan, stage: StagePlan, feedback: str, rendered: Mapping[str, str]) -> str:
    """System text of the role, the task's own words unchanged, and what went wrong last time, unless that is in."""
    system = rendered.get(_system_of(stage), stage.system)
    prompt = rendered.get(_prompt_of(stage), stage.prompt) or plan.prompt
    parts = [system.strip(), prompt.strip("\n")]
    if feedback and not any(feedback.strip() in text for text in rendered.values()):
        parts.append(
            "Your earlier work is still in this worktree. It was not accepted:\n\n"
            + feedback[-FEEDBACK_LENGTH_MAX:]
            + "\n\nFix this. Do not weaken or remove checks."
        )
    return "\n\n".join(part for part in parts if part) + "\n"


def commit_subject(title: str) -> str:
    subject = " ".join(title.split()) or "Work of an agent"
    if len(subject) > SUBJECT_LENGTH_MAX:
        subject = subject[: SUBJECT_LENGTH_MAX - 1].rsplit(" ", 1)[0] + "…"
    return subject


def commit_message(title: str, trailers: dict[str, str]) -> str:
    subject = commit_subject(title)
    lines = "\n".join(f"{name}: {value}" for name, value in trailers.items())
    return f"{subject}\n\n{lines}\n"


def author(role: str) -> tuple[tuple[str, str], ...]:
    """Who commits in a worktree are by, as environment: the role, at an address nobody can own (RFC 2606)."""
    return tuple(
        (f"GIT_{part}_{field}", value)
        for part in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", f"{role or 'agent'} (orchctl)"), ("EMAIL", "agent@orchctl.invalid"))
    )
