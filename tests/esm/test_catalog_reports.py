"""Templates of reports, and what actions explain, as catalogue data."""

from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from esm.catalog import Catalogue, CatalogueError, Title, check, load, parse

SORTS = {
    "address_change",
    "changed_mind",
    "damaged",
    "left_at_pickup_point",
    "missing_item",
    "no_attempt",
    "no_movement",
    "not_received",
    "quality",
    "signed_by_other",
    "wrong_item",
    "wrong_parcel",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def test_there_is_a_template_for_each_sort_of_trouble_that_customers_report(
    catalogue: Catalogue,
) -> None:
    assert set(catalogue.reports) == SORTS
    asked = [field for report in catalogue.reports.values() for field in report.fields.values()]
    assert {field.kind for field in asked} == {"text", "photo", "time", "number", "choice"}


def test_every_field_and_choice_has_a_title_in_chinese_and_in_english(
    catalogue: Catalogue,
) -> None:
    titles: list[Title] = []
    for report in catalogue.reports.values():
        titles.append(report.title)
        for field in report.fields.values():
            titles += [field.title, *field.choices.values()]
    assert all(title.zh.strip() and title.en.strip() for title in titles)


def test_each_code_is_asked_for_by_one_template(catalogue: Catalogue) -> None:
    codes = [code for report in catalogue.reports.values() for code in report.codes]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", ["RETURNING", "RETURNED"])
def test_a_return_that_we_ordered_explains_its_stages(catalogue: Catalogue, code: str) -> None:
    assert {"return_goods", "intercept"} <= set(catalogue.type_of(code).expected_by)


def test_a_redelivery_explains_a_contradiction_and_no_return(catalogue: Catalogue) -> None:
    explained = {c for c, t in catalogue.types.items() if "redeliver" in t.expected_by}
    assert explained == {"TRACKING_ANOMALY"}


PLANTED = [
    ("reports/damaged.toml", '"SOILED"', '"SPOILED"', "reports damaged: unknown code 'SPOILED'"),
    ("reports/quality.toml", '"QUALITY_RETURN"', "", "reports quality: no code that it may open"),
    ("reports/damaged.toml", 'en = "Torn"', 'en = ""', "packaging torn: no title in en"),
    ("reports/damaged.toml", 'zh = "破损情况"', 'zh = ""', "damaged what: no title in zh"),
    ("reports/damaged.toml", 'kind = "choice"', 'kind = "text"', "choices are given for kind"),
    ("reports/damaged.toml", 'kind = "number"', 'kind = "choice"', "choices are given for kind"),
    ("reports/damaged.toml", 'kind = "number"', 'kind = "colour"', "Invalid enum value 'colour'"),
    ("reports/damaged.toml", 'report = "damaged"', 'report = "broken"', "not 'damaged'"),
    ("types/RETURNED.toml", '"intercept"', '"teleport"', "RETURNED: unknown remedy 'teleport'"),
]


@pytest.mark.parametrize(("path", "old", "new", "words"), PLANTED)
def test_a_planted_problem_is_found(
    tmp_path: Path, path: str, old: str, new: str, words: str
) -> None:
    text = files("esm.catalog").joinpath(path).read_text(encoding="utf-8")
    assert old in text
    target = tmp_path / path
    target.parent.mkdir()
    target.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path)
    assert any(words in problem for problem in caught.value.problems), caught.value.problems


def test_a_catalogue_without_the_code_of_parcels_found_again_is_told_so(
    catalogue: Catalogue,
) -> None:
    types = {c: t for c, t in catalogue.types.items() if c != "DELIVERED_AFTER_REMEDY"}
    problems = check(msgspec.structs.replace(catalogue, types=types))
    assert "types: DELIVERED_AFTER_REMEDY is missing; parcels found again map to it" in problems


def test_a_catalogue_published_before_there_were_reports_loads_without_them(
    catalogue: Catalogue,
) -> None:
    content = msgspec.json.decode(catalogue.content)
    del content["reports"]
    for entry in content["types"].values():
        del entry["expected_by"]
    old = parse(msgspec.json.encode(content))
    assert old.reports == {}
    assert old.type_of("RETURNED").expected_by == ()
