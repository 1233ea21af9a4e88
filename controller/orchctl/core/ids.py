"""The identifiers the core passes around, as types that cannot be mixed up.

An object is named by its key, `Kind/namespace/name`; an attempt by `<session uid>.<n>`, which is safe as a file
name; an action by the hash of everything that makes it that action and no other.
"""

from typing import NewType

Key = NewType("Key", str)
AttemptId = NewType("AttemptId", str)
ActionKey = NewType("ActionKey", str)
Oid = NewType("Oid", str)

SOURCE = Key("Source//control")  # what concerns no object: the repo the manifests are in, and the controller itself


def key_of(kind: str, namespace: str, name: str) -> Key:
    return Key(f"{kind}/{namespace}/{name}")


def kind_of(key: Key) -> str:
    return key.split("/", 1)[0]


def namespace_of(key: Key) -> str:
    return key.split("/", 2)[1]


def name_of(key: Key) -> str:
    return key.split("/", 2)[2]
