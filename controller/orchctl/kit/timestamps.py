"""Wall time as people and the API read it: RFC 3339, UTC, whole seconds."""

import datetime


def epoch_s(text: str) -> float:
    """The moment of a time in the one form manifests have, `2026-12-24T18:00:00Z`."""
    return datetime.datetime.fromisoformat(text).timestamp()


def rfc3339(at: float) -> str:
    moment = datetime.datetime.fromtimestamp(int(at), tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(written: str) -> float:
    """Seconds since the epoch of a moment written like that."""
    return datetime.datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC).timestamp()
