"""What approve, deny and revoke share: the gate that is meant, and the manifest that is printed or committed."""

from __future__ import annotations

from orchctl.app.read import failures, locate
from orchctl.cli import arguments, selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from orchctl.cli.context import Context


def parser(usage: str, description: str, examples: str) -> arguments.Parser:
    made = arguments.parser(usage, description, examples)
    made.add_argument("task", metavar="TASK", help="name of the task")
    made.add_argument("--gate", metavar="NAME", help="which gate (default: the only one that asks)")
    made.add_argument("--comment", default="", metavar="TEXT", help="why; a denial's goes back to the agent")
    made.add_argument("--expires", metavar="TIME", help="after this it counts no longer, as 2026-12-24T18:00:00Z")
    made.add_argument("--commit", action="store_true", help="commit it as you (default: print the manifest)")
    made.add_argument("--ref", metavar="REF", help="the branch to commit to (default: the controller's, else HEAD's)")
    arguments.add_namespace(made)
    return made


def run(options: argparse.Namespace, decision: str, context: Context) -> int:
    place = context.place(options.repo)
    (target,) = selection.named([options.task])
    with selection.open_ledger(place, target) as reader:
        record = selection.one(target, options.namespace, reader)
        watched = reader.meta("ref")

    from orchctl.app import approving

    wish = approving.Wish(decision, options.gate, options.comment, options.expires, options.namespace)
    made = approving.manifest(place, record, wish)
    if not options.commit:
        context.output.write(made.text)
        context.warn(f"Commit this as {made.path}, or say --commit.")
        return failures.OK
    committed = approving.commit(place, made, options.ref or watched)
    context.say(f"approval/{made.name} {decision.lower()} ({committed.path}, commit {committed.commit[:8]})")
    if not locate.controller(place)[0]:
        context.warn("No controller is running here: start one with `orchctl controller`.")
    return failures.OK
