"""What the catalogue refuses of overrides together is what would be out of order in detection."""

import random
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from msgspec.structs import replace

from esm.catalog import Catalogue, load
from esm.catalog.rule_checks import check_rules
from esm.catalog.rules import Override, Rule
from esm.detection.select import Plan, concerning
from esm.times import micros

RULE: Final = "TRACKING_STALLED"
CARRIERS: Final = ("sf", "zto", "yto", "ems")
LANES: Final = ("", "CN-US", "CN-CN", "DE-US", "DE-CN", "DE-DE", "FR-IT", "CN-FR", "FR-US")
STATUSES: Final = ("departed", "arrived", "collected", "problem")
BEGINS: Final = tuple(
    micros(f"2026-{day}T00:00:00.000000Z")
    for day in ("01-01", "01-05", "01-06", "03-01", "06-01", "11-01", "11-20", "11-30", "12-31")
)


STAGES: Final[tuple[dict[str, Any], ...]] = (
    {"at_risk": "20h"},
    {"at_risk": "47h"},
    {"breached": "37h"},
    {"breached": "100h"},
    {"serious": "60h"},
    {"at_risk": "60h", "breached": "90h"},
    {"at_risk": "20h", "serious": "400h"},
)
"""Stages that are in order over the rule alone, and not always with each other."""


@dataclass
class Chance:
    """Draws overrides; the same ones for a seed."""

    random: random.Random

    def some(self, likely: float, of: tuple[str, ...]) -> Any:
        if self.random.random() >= likely:
            return ()
        return tuple(self.random.sample(of, self.random.randint(1, 2)))

    def override(self) -> Override:
        seasons = ("", "", "", "11-01/11-30", "11-15/01-05", "01-05/03-01")
        return Override(
            carrier=self.some(0.4, CARRIERS[:3]),
            lane=self.some(0.4, ("CN-US", "CN-*", "*-US", "CN-CN", "DE-*", "*-CN")),
            cross_border=self.random.random() < 0.2,
            status=self.some(0.3, ("departed", "arrived", "collected")),
            season=self.random.choice(seasons),
            **self.random.choice(STAGES),
        )


def out_of_order(rule: Rule) -> bool:
    """Whether the stages of any shipment at any moment are not one behind the other."""
    for carrier, lane in product(CARRIERS, LANES):
        plan = Plan(rule, concerning(rule, carrier, lane, ""))
        for status, begin in product(STATUSES, BEGINS):
            spans = [step.micros for step in plan.spans(begin, status).steps]
            if spans != sorted(set(spans)):
                return True
    return False


def refused(catalogue: Catalogue, rule: Rule) -> bool:
    tables = replace(catalogue, rules={RULE: rule})
    return any("each stage must come later" in each for each in check_rules(tables))


def test_what_is_refused_is_what_would_be_out_of_order() -> None:
    catalogue = load()
    rule = catalogue.rules[RULE]
    seen = {True: 0, False: 0}
    for seed in range(400):
        chance = Chance(random.Random(seed))
        overrides = tuple(chance.override() for _ in range(chance.random.randint(2, 4)))
        changed = replace(rule, override=overrides)
        assert refused(catalogue, changed) == out_of_order(changed), seed
        seen[out_of_order(changed)] += 1
    assert min(seen.values()) > 40
