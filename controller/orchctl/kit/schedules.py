"""The five fields of cron as people mean them, made into what the library that evaluates them means.

Called where a schedule is checked and where it is evaluated, so that both read it alike.
"""

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
DAYS_OF_WEEK = 7


def named_days(cron: str) -> str:
    """The schedule with its days of the week by name: cron counts them from Sunday, the library from Monday.

    ValueError when there are not five fields, or a day is none.
    """
    *others, days = cron.split()
    if len(others) != 4:
        raise ValueError("a schedule has five fields")
    found = {day % DAYS_OF_WEEK for part in days.lower().split(",") for day in _days(part)}
    return " ".join([*others, "*" if len(found) == DAYS_OF_WEEK else ",".join(_DAYS[day] for day in sorted(found))])


def _days(part: str) -> range:
    span, _, step = part.partition("/")
    first, _, last = span.partition("-")
    if span == "*":
        return range(0, DAYS_OF_WEEK, int(step or 1))
    begin = _number(first)
    end = _number(last) if last else 6 if step else begin
    return range(begin, (end if end >= begin else end + DAYS_OF_WEEK) + 1, int(step or 1))


def _number(day: str) -> int:
    number = _DAYS.index(day) if day in _DAYS else int(day)
    if number > DAYS_OF_WEEK:
        raise ValueError("days of the week are 0 to 7")
    return number
