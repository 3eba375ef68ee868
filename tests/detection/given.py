"""Shipments, timelines and catalogues for the tests of detection."""

from typing import Any

import msgspec

from esm.catalog import Catalogue, Override, Service, Title, load, parse
from esm.catalog.data import Status
from esm.detection.model import Checkpoint, Finding, Outlook, Shipment
from esm.detection.outlook import Detection

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_772_442_000_000_000
"""2026-03-02T09:00:00Z, a Monday."""

CATALOGUE = load()
DETECTION = Detection(CATALOGUE)


def at(hours: float) -> int:
    """The moment so many hours after the start."""
    return START + round(hours * HOUR)


def shipment(**changes: Any) -> Shipment:
    """A shipment of which nothing is known but its names."""
    return Shipment(**{"order_id": "O1", "shipment_code": "S1"} | changes)


def seen(status: Status, hours: float, **changes: Any) -> Checkpoint:
    """A checkpoint so many hours after the start, named by its status and hour."""
    occurred = at(hours)
    names: dict[str, Any] = {
        "source_id": f"feed/{status}@{hours:g}",
        "feed": "feed",
        "received": occurred,
    }
    return Checkpoint(**names | {"status": status, "occurred": occurred} | changes)


def outlook(
    *timeline: Checkpoint, as_of: int, of: Shipment | None = None, by: Detection = DETECTION
) -> Outlook:
    """The outlook of a shipment with a timeline."""
    return by.outlook(of or shipment(), timeline, as_of)


def stages(found: Outlook, rule: str, piece: str = "") -> list[str]:
    """The stages of a rule that were found, those that ended too."""
    return [each.stage for each in found.findings if (each.rule, each.piece) == (rule, piece)]


def of_rule(found: Outlook, rule: str) -> list[Finding]:
    """What a rule found."""
    return [each for each in found.findings if each.rule == rule]


def standing(found: Outlook) -> set[str]:
    """Keys of what stands."""
    return {each.key for each in found.findings if not each.ended}


def changed(**rules: dict[str, Any]) -> Catalogue:
    """The packaged catalogue with changed fields of rules."""
    content = msgspec.json.decode(CATALOGUE.content)
    for name, fields in rules.items():
        content["rules"][name] |= msgspec.to_builtins(fields)
    return parse(msgspec.json.encode(content, order="sorted"))


def detection(
    rule: str, *override: Override, services: tuple[str, ...] = (), **fields: Any
) -> Detection:
    """Detection by a changed rule, with tracked services of some names."""
    content = msgspec.json.decode(changed(**{rule: {**fields, "override": override}}).content)
    title = Title(zh="服务", en="Service")
    content["services"] |= {each: msgspec.to_builtins(Service(title=title)) for each in services}
    return Detection(parse(msgspec.json.encode(content)))
