"""Account: who pays and who throttles. Cluster-scoped."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orchctl.api import fields, meta, rules


class Price(fields.Model):
    """Prices are per million tokens, in USD."""

    model: fields.Line = Field(description="Model the prices are of.")
    input_per_m: fields.Usd = Field(description="A million tokens read.")
    output_per_m: fields.Usd = Field(description="A million tokens written.")
    cached_per_m: fields.Usd | None = Field(default=None, description="A million tokens read again; unset: as read.")


class AccountSpec(fields.Model):
    RULES = (rules.unique("secrets", "env"), rules.unique("prices", "model"))

    limits: fields.SessionLimits = Field(default_factory=fields.SessionLimits, description="Concurrency.")
    secrets: fields.Secrets = Field(
        default=(), description="Environment of its agents, with values from files that are read at each launch."
    )
    prices: Annotated[tuple[Price, ...], Field(max_length=fields.LIST_ITEMS_MAX)] = fields.planned(
        "What its models cost.", (), harmless=True
    )


class Account(meta.Manifest):
    spec: AccountSpec = Field(default_factory=AccountSpec, description="The account as it should be.")
