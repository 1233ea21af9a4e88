"""The table of verbs: which module serves each, and what `orchctl --help` says about it.

Only the module of the verb that was asked for is ever imported, so a read starts fast whatever the others need.
"""

from __future__ import annotations


class Verb:
    __slots__ = ("example", "group", "module", "name", "summary")

    def __init__(self, name: str, group: str, summary: str, example: str) -> None:
        self.name = name
        self.module = f"orchctl.cli.{name.replace('-', '_')}"
        self.group = group
        self.summary = summary
        self.example = example


WIDTH = 13
START, LOOK, OPERATE = "Start", "Look (needs no running controller)", "Operate"

VERBS = {
    verb.name: verb
    for verb in (
        Verb("quickstart", START, "see one task go from prompt to merge, offline", "orchctl quickstart"),
        Verb("init", START, "make this repository a project", "orchctl init"),
        Verb("run", START, "commit a task made from a prompt and follow it", 'orchctl run "Fix the login"'),
        Verb("lint", START, "check manifests, with file, line and column", "orchctl lint"),
        Verb("plan", START, "what would happen next, and why not", "orchctl plan"),
        Verb("explain", START, "what a kind or a field is for", "orchctl explain task.spec.dependsOn"),
        Verb("api-resources", START, "the kinds, and how much of each works today", "orchctl api-resources"),
        Verb("get", LOOK, "list objects", "orchctl get tasks"),
        Verb("describe", LOOK, "all about one object", "orchctl describe task/fix-login"),
        Verb("why", LOOK, "what it waits for, by which rule, what would change it", "orchctl why fix-login"),
        Verb("trace", LOOK, "every step it took, and what each rests on", "orchctl trace fix-login"),
        Verb("history", LOOK, "the specs it has had, and what each changed", "orchctl history fix-login"),
        Verb("replay", LOOK, "how it stood at an event; decide it all again", "orchctl replay --verify"),
        Verb("top", LOOK, "what runs now, what it uses, what waits", "orchctl top"),
        Verb("logs", LOOK, "what its agents and checks printed", "orchctl logs fix-login -f"),
        Verb("events", LOOK, "what happened, newest last", "orchctl events --for fix-login"),
        Verb("approve", OPERATE, "say yes to what a gate asks a person about", "orchctl approve fix-login --commit"),
        Verb("deny", OPERATE, "say no to it, and why", 'orchctl deny fix-login --comment "no test" --commit'),
        Verb("revoke", OPERATE, "take an approval back", "orchctl revoke fix-login --commit"),
        Verb("controller", OPERATE, "make the world match the manifests", "orchctl controller"),
        Verb("suspend", OPERATE, "let a task stand still at the next safe point", "orchctl suspend fix-login"),
        Verb("resume", OPERATE, "let a suspended task go on", "orchctl resume fix-login"),
        Verb("cancel", OPERATE, "end a task before it is done", "orchctl cancel fix-login"),
        Verb("retry", OPERATE, "let a failed or cancelled task go on", "orchctl retry fix-login"),
        Verb("answer", OPERATE, "say what is to follow, when a task asks", "orchctl answer fix-login-check-q1 retry"),
        Verb("rerun", OPERATE, "make another task of one that has ended", "orchctl rerun fix-login --commit"),
        Verb("prune", OPERATE, "let go what vanished from git in a large number", "orchctl prune"),
        Verb("verify", OPERATE, "check that the ledger is what was recorded", "orchctl verify"),
        Verb("recover", OPERATE, "make a damaged ledger anew from what can be read", "orchctl recover"),
        Verb("backup", OPERATE, "copy the ledger to a file, checked", "orchctl backup ledger-monday.db"),
        Verb("version", OPERATE, "the version", "orchctl version"),
    )
}


def help_text() -> str:
    """The top-level help: every verb with one line and one example."""
    lines = ["orchctl: git holds what should be done by coding agents; orchctl gets it done.", ""]
    lines += ["usage: orchctl VERB [ARGUMENTS]      orchctl VERB --help for one of them", ""]
    for group in (START, LOOK, OPERATE):
        lines.append(f"{group}:")
        for verb in VERBS.values():
            if verb.group == group:
                lines.append(f"  {verb.name:<{WIDTH}} {verb.summary}")
                lines.append(f"  {'':<{WIDTH}}   $ {verb.example}")
        lines.append("")
    lines.append("The control repo is the one around the current folder; --repo or ORCHCTL_REPO names another.")
    return "\n".join(lines) + "\n"
