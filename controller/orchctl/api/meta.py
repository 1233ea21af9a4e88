"""The envelope every manifest has: apiVersion, kind, metadata, spec.

Called by the kinds and the loader. Fields the controller populates (uid, generation ...) and `status` are served, but
never read from a manifest.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from orchctl.api import fields, kinds

SERVED_FIELDS = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
    "ownerReferences",
    "finalizers",
    "selfLink",
)


class ObjectMeta(fields.Model):
    name: fields.Name = Field(description="Name of the object, unique per kind and namespace.")
    namespace: fields.Name = Field(default=kinds.DEFAULT_NAMESPACE, description="Namespace; not the project.")
    labels: fields.Labels = Field(default_factory=dict, description="Keys and values to select by.")
    annotations: fields.Annotations = Field(default_factory=dict, description="Free notes for tools.")


class Manifest(fields.Model):
    api_version: Literal["orchctl.dev/v1alpha1"]
    kind: Annotated[str, StringConstraints(max_length=63)]
    metadata: ObjectMeta
