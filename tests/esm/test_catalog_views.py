"""The desk's classes and platform types: every code in one class, in at most one type."""

from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from esm.catalog import Catalogue, CatalogueError, load, parse
from esm.catalog.views import (
    Members,
    class_members,
    class_of,
    platform_type_members,
    platform_type_of,
)

PAYMENT = {
    "PAYMENT_FAILED",
    "PAYMENT_TIMEOUT",
    "PAYMENT_MISMATCH",
    "REFUND_REQUESTED",
    "CHARGEBACK",
    "REFUND_DISPUTE",
    "COD_REMITTANCE_OVERDUE",
}
BY_CODE = {
    "pickup_timeout": {"PICKUP_TIMEOUT", "LABEL_NO_SCAN"},
    "transit_timeout": {"DISPATCH_TIMEOUT", "TRANSIT_DELAY", "NODE_STUCK", "TRACKING_STALLED"},
    "delivery_timeout": {"DELIVERY_TIMEOUT"},
    "false_signoff": {"FALSE_SIGNOFF"},
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def changed(directory: Path, *edits: tuple[str, str]) -> Path:
    text = files("esm.catalog").joinpath("views.toml").read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    (directory / "views.toml").write_text(text, encoding="utf-8")
    return directory


def problems_of(directory: Path) -> tuple[str, ...]:
    with pytest.raises(CatalogueError) as caught:
        load(directory)
    return caught.value.problems


def test_every_code_is_in_exactly_one_class(catalogue: Catalogue) -> None:
    classes = catalogue.views.classes
    members = [code for name in classes for code in class_members(catalogue, name).codes]
    assert sorted(members) == sorted(catalogue.types)
    assert all(class_of(catalogue, code) for code in catalogue.types)


def test_every_code_is_in_at_most_one_platform_type_by_itself(catalogue: Catalogue) -> None:
    types = catalogue.views.platform_types
    covered = [code for type_ in types.values() for code in type_.codes]
    assert len(covered) == len(set(covered))
    assert {name: set(type_.codes) for name, type_ in types.items() if type_.codes} == BY_CODE


def test_a_code_that_a_class_names_leaves_the_class_of_its_category(catalogue: Catalogue) -> None:
    assert set(class_members(catalogue, "payment").codes) == PAYMENT
    assert catalogue.type_of("QUALITY_RETURN").category == "RETURN"
    assert class_of(catalogue, "QUALITY_RETURN") == "fulfilment"
    assert class_of(catalogue, "RETURN_MISMATCH") == "logistics"
    assert set(class_members(catalogue, "reconciliation").codes) == {
        "WEIGHT_DISPUTE",
        "BILLING_DISPUTE",
        "CLAIM_DISPUTE",
        "PLATFORM_COMPLAINT",
    }


def test_the_fifth_platform_type_is_what_the_carrier_said_first_and_no_other_covers(
    catalogue: Catalogue,
) -> None:
    assert platform_type_of(catalogue, "DAMAGED", "carrier") == "carrier_reported"
    assert platform_type_of(catalogue, "NODE_STUCK", "carrier") == "transit_timeout"
    assert platform_type_of(catalogue, "DAMAGED", "customer") == ""
    members = platform_type_members(catalogue, "carrier_reported")
    assert members.excluded
    assert members.first_source == "carrier"
    assert set(members.codes) == set.union(*BY_CODE.values())


def test_what_the_catalogue_does_not_hold_has_no_class_and_no_members(catalogue: Catalogue) -> None:
    assert class_of(catalogue, "GONE") == ""
    assert class_members(catalogue, "gone") == Members(())
    assert platform_type_members(catalogue, "gone") == Members(())


def test_an_operator_moves_a_code_by_one_file(tmp_path: Path) -> None:
    moved = load(changed(tmp_path, ('"QUALITY_RETURN"', '"QUALITY_RETURN", "DAMAGED"')))
    assert class_of(moved, "DAMAGED") == "fulfilment"
    assert "DAMAGED" not in class_members(moved, "logistics").codes


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (('"ADDRESS"', '"ADDRESSES"'), "views: no class names ADDRESS_CHANGE or its category"),
        (('"QUALITY_RETURN"', '"NO_SUCH"'), "views class fulfilment: unknown code 'NO_SUCH'"),
        (('"QUALITY_RETURN"', '"CHARGEBACK"'), "views classes: code 'CHARGEBACK' stands 2 times"),
        (('"COMMERCIAL"', '"ADDRESS"'), "views classes: category 'ADDRESS' stands 2 times"),
        (
            ('"FALSE_SIGNOFF"', '"NODE_STUCK"'),
            "views platform types: code 'NODE_STUCK' stands 2 times",
        ),
        (
            ('first_source = "carrier"', ""),
            "views platform type carrier_reported: needs either codes or first_source",
        ),
        (
            ('codes = ["FALSE_SIGNOFF"]', 'first_source = "carrier"'),
            "views platform types: first_source 'carrier' stands 2 times",
        ),
        (('"Stock"', '""'), "views class stock: no title in en"),
    ],
)
def test_views_that_do_not_sort_every_code_once_are_refused(
    tmp_path: Path, edit: tuple[str, str], problem: str
) -> None:
    assert any(each.startswith(problem) for each in problems_of(changed(tmp_path, edit)))


def test_a_catalogue_published_before_there_were_views_loads_without_them(
    catalogue: Catalogue,
) -> None:
    content = msgspec.json.decode(catalogue.content)
    del content["views"]
    old = parse(msgspec.json.encode(content))
    assert class_of(old, "LOST") == ""
    assert platform_type_of(old, "LOST", "carrier") == ""
