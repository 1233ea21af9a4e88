"""Budget: money, tokens and time over many Tasks and a period."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from orchctl.api import fields, meta


class Every(StrEnum):
    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"
    EVER = "Ever"


class OnSoft(StrEnum):
    WARN = "Warn"
    ASK = "Ask"


class OnHard(StrEnum):
    STOP_AT_SAFE_POINT = "StopAtSafePoint"
    STOP_NOW = "StopNow"
    HOLD_NEW = "HoldNew"


class Period(fields.Model):
    every: Every = Field(default=Every.EVER, description="After which time it begins anew.")
    time_zone: fields.TimeZone = Field(default="UTC", description="Time zone of the days.")


class BudgetSpec(fields.Model):
    selector: fields.Selector = Field(default_factory=fields.Selector, description="The Tasks it is for.")
    period: Period = Field(default_factory=Period, description="The time it is for.")
    max: fields.Amounts = Field(description="What they may consume together.")
    soft_percent: fields.Percent = Field(default=80, description="Where `onSoft` comes in.")
    on_soft: OnSoft = Field(default=OnSoft.WARN, description="What happens near the end.")
    on_hard: OnHard = Field(default=OnHard.STOP_AT_SAFE_POINT, description="What happens at the end.")


class Budget(meta.Manifest):
    spec: BudgetSpec = Field(description="The budget as it should be.")
