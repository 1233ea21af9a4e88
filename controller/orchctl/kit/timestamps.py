"""Wall time as people and the API read it: RFC 3339, UTC, whole seconds."""

import datetime


def rfc3339(at: float) -> str:
    moment = datetime.datetime.fromtimestamp(int(at), tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
