"""The inbox of requests in memory: durable from the moment a person has sent one until the controller removes it."""

from __future__ import annotations

from collections.abc import Mapping

from orchctl.adapters.host import inbox


class Inbox(inbox.Inbox):
    def __init__(self) -> None:
        self._requests: dict[str, inbox.Request] = {}
        self._count = 0

    def submit(self, content: Mapping[str, object]) -> str:
        self._count += 1
        token = f"{self._count:026d}"
        self._requests[token] = inbox.Request(token, 1000, dict(content))
        return token

    def waiting(self) -> list[inbox.Request]:
        return list(self._requests.values())[: inbox.REQUESTS_MAX]

    def remove(self, token: str) -> None:
        self._requests.pop(token, None)
