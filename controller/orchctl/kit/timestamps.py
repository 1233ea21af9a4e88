"""Wall time as people and the API read it: RFC 3339, UTC, whole seconds."""

import datetime


def rfc3339(at: float) -> str:
    moment = datetime.datetime.fromtimestamp(int(at), tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(written: str) -> float:
    """Seconds since the epoch of a moment written like that."""
    return datetime.datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC).timestamp()
