"""Rules over several fields of one object, each an expression of CEL: the one source for admission and for the CRDs.

Declared on the models as `RULES`, run by `violations`, exported by `schema`. A rule speaks about `self`, the object it
is declared on; with `each`, also about `item`, an entry of that list, so that the entry at fault can be named.
Pure data: must never import a model.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    expression: str  # true when all is well
    message: str  # what must be
    path: tuple[str | int, ...] = ()  # where the fault is, below `self` or below the entry
    code: str = "not_allowed"
    each: str = ""  # the list of `self` whose entries it is about
    after_first: bool = False  # of several entries at fault the first is the one that is right

    @property
    def whole(self) -> str:
        """The expression over `self` alone, as an API server runs it."""
        return f"self.{self.each}.all(item, {self.expression})" if self.each else self.expression

    def exported(self) -> dict[str, str]:
        """The rule as an entry of `x-kubernetes-validations`."""
        plain = {"rule": self.whole, "message": self.message}
        named = "".join(f".{part}" for part in self.path) if all(isinstance(part, str) for part in self.path) else ""
        return {**plain, "fieldPath": named} if named and not self.each else plain


def one_of(*members: str) -> Rule:
    """Exactly one of these optional members: the only form of a union that a structural schema allows."""
    listed = f"{', '.join(f'`{member}`' for member in members[:-1])} and `{members[-1]}`"
    return Rule(f"{_present(members)} == 1", f"must have exactly one of {listed}", code="one_of")


def at_most_one_of(*members: str) -> Rule:
    listed = f"{', '.join(f'`{member}`' for member in members[:-1])} and `{members[-1]}`"
    return Rule(f"{_present(members)} <= 1", f"must have at most one of {listed}", code="one_of")


def unique(list_name: str, field: str = "name") -> Rule:
    """No two entries of the list with the same value in that field."""
    return Rule(
        f"self.{list_name}.filter(one, one.{field} == item.{field}).size() == 1",
        "must be unique in the list",
        path=(field,),
        code="duplicate_name",
        each=list_name,
        after_first=True,
    )


def _present(members: tuple[str, ...]) -> str:
    return f"[{', '.join(f'has(self.{member})' for member in members)}].filter(given, given).size()"
