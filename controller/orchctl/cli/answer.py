"""`orchctl answer`: say what is to follow where a task waits for a person."""

from __future__ import annotations

from orchctl.cli import arguments, asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchctl.cli.context import Context

EXAMPLES = """\
  orchctl get questions
  orchctl answer fix-login-check-q1 retry
  orchctl answer fix-login-check-q1 continue --text "known to be flaky\""""


def run(words: Sequence[str], context: Context) -> int:
    made = arguments.parser(
        "answer QUESTION OPTION",
        "Answer a question; it says itself which options it has. A manifest with `spec.answer` in git does the same.",
        EXAMPLES,
    )
    made.add_argument("question", metavar="QUESTION", help="the name of a question, or question/NAME")
    made.add_argument("option", metavar="OPTION", help="one of its options, such as retry, continue or fail")
    made.add_argument("--text", default="", help="a remark, kept with the answer")
    arguments.add_namespace(made)
    options = made.parse_args(words)
    asked = asking.Asked(options.question, options.namespace, context.place(options.repo), context, "question")
    return asked.send("Answer", f"is answered: {options.option}", option=options.option, text=options.text)
