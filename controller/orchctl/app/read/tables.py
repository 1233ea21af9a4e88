"""The tables of `orchctl get`: printer columns as SQL over the ledger, rows as aligned plain text.

The columns are those of `api.kinds`, which the CRDs print too. Values are computed by SQLite, so that listing ten
thousand objects decodes no JSON here.
"""

from __future__ import annotations

from orchctl.kit import durations, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchctl.api import kinds

NONE = "<none>"
GAP = "   "
CELL_CHARACTERS_MAX = 80  # of a cell in the middle of a row; wide tables are the only long ones
# What the ledger keeps beside the body, because every listing needs it.
KEPT_COLUMNS = {
    ".status.summary": "summary",
    ".status.stage": "stage",
    ".status.agent": "coalesce(nullif(agent, ''), json_extract(body, '$.status.agent'))",
    '.status.conditions[?(@.type=="Ready")].status': "ready",
    ".metadata.creationTimestamp": "created_at",
}
OF_CONDITION = """(SELECT json_extract(value, '$.{field}') FROM json_each(body, '$.status.conditions')
WHERE json_extract(value, '$.type') = '{type}')"""
OF_EACH = """(SELECT group_concat(json_extract(value, '$.{field}')) FROM json_each(body, '${list}'))"""
# A field left out of the spec is resolved from the project or a built-in; the table shows what is in force.
OF_SPEC = """coalesce(nullif(json_extract(body, '${path}'), ''),
(SELECT json_extract(value, '$.name') FROM json_each(body, '$.status.resolved')
 WHERE json_extract(value, '$.field') IN ('{field}', 'spec.{field}')))"""


class Table:
    """Which columns to ask the ledger for, and how to print a row of them."""

    __slots__ = ("_columns", "_now", "_with_namespace")

    def __init__(self, kind: kinds.Kind, *, wide: bool, with_namespace: bool, now: float) -> None:
        narrow = [column for column in kind.columns if column.priority == 0 and column.type != "date"]
        extra = [column for column in kind.columns if column.priority > 0] if wide else []
        age = [column for column in kind.columns if column.type == "date"]
        self._columns = narrow + extra + age
        self._with_namespace = with_namespace
        self._now = now

    @property
    def titles(self) -> list[str]:
        first = ["NAMESPACE", "NAME"] if self._with_namespace else ["NAME"]
        return first + [column.title for column in self._columns]

    @property
    def sql(self) -> str:
        return ", ".join(expression(column.path) for column in self._columns) or "NULL"

    def cells(self, row: Sequence[object]) -> list[str]:
        cells = [shown(row[0]), shown(row[1])] if self._with_namespace else [shown(row[1])]
        for column, value in zip(self._columns, row[2:], strict=False):
            is_age = column.type == "date" and isinstance(value, (int, float))
            cells.append(durations.short_age(self._now - float(str(value))) if is_age else shown(value))
        return cells


def expression(path: str) -> str:
    """SQL for a printer column's JSON path; the paths are ours, never a user's."""
    kept = KEPT_COLUMNS.get(path)
    if kept:
        return kept
    head, question, tail = path.partition("[?(@.type==")
    if question:
        condition, _, field = tail.partition(")].")
        return OF_CONDITION.format(type=condition.strip('"'), field=field)
    head, star, field = path.partition("[*].")
    if star:
        return OF_EACH.format(list=head, field=field)
    if path.startswith(".spec.") and path.count(".") == 2:
        return OF_SPEC.format(path=path, field=path.removeprefix(".spec."))
    return f"json_extract(body, '${path}')"


def shown(value: object) -> str:
    if value is None or value == "":
        return NONE
    plain = value if isinstance(value, str) else str(value)
    return (
        plain
        if plain.isprintable() and len(plain) <= CELL_CHARACTERS_MAX
        else text.one_line(plain, CELL_CHARACTERS_MAX)
    )


def aligned(rows: Iterable[Sequence[str]], indent: str = "") -> list[str]:
    """Rows of cells as lines; the last column is not padded."""
    kept = list(rows)
    if not kept:
        return []
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    pattern = indent + GAP.join(f"%-{width}s" for width in widths[:-1]) + (GAP if len(widths) > 1 else "") + "%s"
    return [(pattern % tuple(row)).rstrip() for row in kept]
