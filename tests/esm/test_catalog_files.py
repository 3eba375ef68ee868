"""An operator's files overlay the packaged catalogue, and what is wrong with them is named."""

from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from esm.catalog import Catalogue, CatalogueError, LegRule, NotInCatalogue, check, load


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def packaged(path: str) -> str:
    return files("esm.catalog").joinpath(path).read_text(encoding="utf-8")


def overlay(directory: Path, path: str, text: str) -> Path:
    """``directory`` with one more file of an operator in it."""
    target = directory / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return directory


def edited(directory: Path, path: str, old: str, new: str) -> Path:
    """``directory`` with a packaged file in which ``old`` became ``new``."""
    text = packaged(path)
    assert old in text
    return overlay(directory, path, text.replace(old, new, 1))


def problems_of(directory: Path) -> tuple[str, ...]:
    with pytest.raises(CatalogueError) as caught:
        load(directory)
    return caught.value.problems


def test_a_file_of_the_operator_replaces_the_packaged_one(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    changed = load(edited(tmp_path, "types/LOST.toml", "level = 3", "level = 2"))
    assert changed.type_of("LOST").level == 2
    assert catalogue.type_of("LOST").level == 3
    assert len(changed.types) == 83


def test_a_new_exception_type_is_one_file(tmp_path: Path) -> None:
    text = packaged("types/LOST.toml").replace('"LOST"', '"MELTED"').replace("160", "165")
    changed = load(overlay(tmp_path, "types/MELTED.toml", text))
    assert changed.type_of("MELTED").family == "delay_loss"
    assert len(changed.types) == 84


def test_an_empty_directory_changes_nothing_and_a_missing_one_is_refused(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    assert load(tmp_path).digest == catalogue.digest
    assert "no such directory" in problems_of(tmp_path / "absent")[0]


@pytest.mark.parametrize("path", ["typo.toml", "type/LOST.toml"])
def test_a_file_in_the_wrong_place_is_named(tmp_path: Path, path: str) -> None:
    assert problems_of(overlay(tmp_path, path, "")) == (f"{path}: not a file of the catalogue",)


def test_an_unknown_key_is_named_with_its_file(tmp_path: Path) -> None:
    path = "types/LOST.toml"
    (problem,) = problems_of(overlay(tmp_path, path, packaged(path) + "colour = 1\n"))
    assert problem.startswith(path)
    assert "colour" in problem


def test_an_unknown_key_deep_in_a_file_is_named_too(tmp_path: Path) -> None:
    directory = edited(tmp_path, "postings.toml", 'side = "debit"', 'side = "debit", sides = 2')
    (problem,) = problems_of(directory)
    assert problem.startswith("postings.toml")
    assert "sides" in problem


def test_the_problems_of_all_files_are_listed_at_once(tmp_path: Path) -> None:
    overlay(tmp_path, "teams.toml", "[support")
    overlay(tmp_path, "currencies.toml", "CNY = 7")
    edited(tmp_path, "types/LOST.toml", 'code = "LOST"', 'code = "STOLEN"')
    (tmp_path / "ledgers.toml").write_bytes(b'default = "\xff"')
    problems = problems_of(tmp_path)
    assert len(problems) == 4
    assert {problem.split(":")[0] for problem in problems} == {
        "teams.toml",
        "currencies.toml",
        "types/LOST.toml",
        "ledgers.toml",
    }


def test_expected_use_is_the_latest_entry_that_is_valid_on_the_date(tmp_path: Path) -> None:
    later = '\n[[coupon_expected_use]]\nkind = "coupon"\nfrom = "2026-07-01"\npercent = 75\n'
    text = packaged("compensation.toml") + later
    catalogue = load(overlay(tmp_path, "compensation.toml", text))
    assert catalogue.expected_use("coupon", "2026-06-30") == 60
    assert catalogue.expected_use("coupon", "2026-07-01") == 75
    assert catalogue.expected_use("store_credit", "2026-07-01") == 100
    with pytest.raises(NotInCatalogue):
        catalogue.expected_use("coupon", "1999-12-31")


def test_the_order_of_keys_and_comments_in_a_file_do_not_change_the_digest(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    lines = reversed(packaged("teams.toml").splitlines())
    text = "# Another comment.\n" + "\n".join(line for line in lines if not line.startswith("#"))
    assert load(overlay(tmp_path, "teams.toml", text)).digest == catalogue.digest


def test_a_new_title_changes_the_digest_but_not_that_of_the_postings(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    changed = load(edited(tmp_path, "types/LOST.toml", "丢失", "确认丢失"))
    assert changed.digest != catalogue.digest
    assert changed.postings_digest == catalogue.postings_digest


def test_another_account_in_a_row_changes_both_digests(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    changed = load(edited(tmp_path, "postings.toml", '"4110"', '"4100"'))
    assert changed.digest != catalogue.digest
    assert changed.postings_digest != catalogue.postings_digest


# --- planted problems -----------------------------------------------------------------------

PLANTED = [
    ("types/LOST.toml", 'team = "task_force"', 'team = "nobody"', "unknown team 'nobody'"),
    ("types/LOST.toml", '"carrier_contact"', '"horoscope"', "unknown checklist item"),
    ("types/LOST.toml", '"carrier_contact"', '"order_facts"', "'order_facts' stands 2 times"),
    ("types/LOST.toml", ', "last_event_and_path"', "", "a post_ship code needs"),
    ("types/BILLING_DISPUTE.toml", '"invoice_facts"', "", "the checklist is empty"),
    ("types/LOST.toml", "rank = 160", "rank = 170", "rank 170 stands on LOST, STOLEN"),
    ("types/LOST.toml", 'zh = "丢失"', 'zh = " "', "types LOST: no title in zh"),
    ("types/LOST.toml", ', en = "Lost"', "", "missing required field `en`"),
    ("types/LOST.toml", '"post_ship"', '"shipped"', "Invalid enum value 'shipped'"),
    ("types/LOST.toml", "level = 3", "level = 4", "Invalid enum value 4"),
    ("teams.toml", 'en = "Support"', 'en = ""', "teams support: no title in en"),
    ("checklist.toml", 'zh = "客户陈述"', 'zh = ""', "customer_statement: no title in zh"),
    ("sources/kdniao.toml", '"REFUSED"', '"REFUSE"', "unknown code 'REFUSE'"),
    ("sources/kdniao.toml", '"Asia/Shanghai"', '"Asia/Peking"', "unknown time zone 'Asia/Peking'"),
    ("sources/kdniao.toml", '"departed"', '"gone"', "Invalid enum value 'gone'"),
    ("sources/kdniao.toml", '"DELIVERY_FAILED"]', '"DELIVERIES"]', "unknown code or family 'DELIV"),
    ("sources/kdniao.toml", 'clock = "', 'clock = "to_', "Invalid enum value 'to_delivery'"),
    ("sources/kdniao.toml", 'zh = "货物有损坏"', 'zh = ""', "sources kdniao 414: no title in zh"),
    ("sources/track17.toml", 'candidate = "', 'opens = "OTHER"\ncandidate = "', "not both"),
    ("sources/track17.toml", 'candidate = "', 'timer = true\ncandidate = "', "opens nothing by it"),
    ("sources/aftership.toml", "opens =", "report = true\nopens =", "opens nothing by itself"),
    ("sources/aftership.toml", "report", 'by_text = ["LOST"]\nreport', "by_text chooses instead"),
    ("sources/aftership.toml", '"UNDELIVERABLE"', '"UNDELIVERED"', "unknown code 'UNDELIVERED'"),
    ("sources/aftership.toml", '"SOILED"', '"DAMAGED"', "code 'DAMAGED' stands 2 times"),
    ("accounts.toml", "[1010]", "[101]", "an account number has four digits"),
    ("postings.toml", '"1025"', '"1026"', "choice settlement: unknown account '1026'"),
    ("postings.toml", '["1900", "2050"]', "[]", "choice payable: no account to choose from"),
    ("postings.toml", '"4100"', '"4101"', "postings R1: unknown account '4101'"),
    ("postings.toml", '"$settlement"', '"$purse"', "postings R3: unknown choice 'purse'"),
    ("postings.toml", 'amount = "goods"', 'amount = "12"', "'12' is not a name of an amount"),
    ("postings.toml", '"debit", amount = "claimed"', '"credit", amount = "claimed"', "on both"),
    ("postings.toml", '"credit", amount = "memo"', '"credit", amount = "rest"', "memo legs do"),
    ("charges.toml", '"5110"', '"5111"', "unknown account '5111'"),
    ("charges.toml", '"5110"', '"1010"', "account 1010 is not an expense"),
    ("charges.toml", '"5110"', '"5070"', "account 5070 is not in the choice cost"),
    ("remedies/claim.toml", '"C5"', '"C9"', "remedies claim: unknown posting row 'C9'"),
    ("remedies/full_refund.toml", '"R2"', '"R22"', "unknown posting row 'R22'"),
    ("remedies/full_refund.toml", "succeeded =", "done =", "Invalid enum value 'done'"),
    ("remedies/full_refund.toml", "advance =", "later =", "Invalid enum value 'later'"),
    ("remedies/full_refund.toml", '"refund"', '"none"', "money is 'none' but it has 4 rows"),
    ("remedies/dispose.toml", '"none"', '"refund"', "money is 'refund' but it has 0 rows"),
    ("ledgers.toml", '"UTC"', '"Mars/Olympus"', "unknown time zone 'Mars/Olympus'"),
    ("ledgers.toml", "[default]", "[main]", "ledgers: default is missing"),
    ("currencies.toml", "CNY", "YUAN", "a currency code has three capital letters"),
    ("compensation.toml", "2000-01-01", "2000-02-30", "'2000-02-30' is not a date"),
    ("compensation.toml", "store_credit", "coupon", "'coupon from 2000-01-01' stands 2 times"),
    ("compensation.toml", "percent = 60", "percent = 160", "<= 100"),
]


@pytest.mark.parametrize(("path", "old", "new", "words"), PLANTED)
def test_a_planted_problem_is_found(
    tmp_path: Path, path: str, old: str, new: str, words: str
) -> None:
    problems = problems_of(edited(tmp_path, path, old, new))
    assert any(words in problem for problem in problems), problems


def test_the_packaged_catalogue_has_no_problem(catalogue: Catalogue) -> None:
    assert check(catalogue) == []


def test_a_catalogue_without_other_is_told_so(catalogue: Catalogue) -> None:
    types = {code: entry for code, entry in catalogue.types.items() if code != "OTHER"}
    problems = check(msgspec.structs.replace(catalogue, types=types))
    assert problems == ["types: OTHER is missing; unknown raw codes map to it"]


def test_a_catalogue_without_the_code_of_reviews_is_told_so(catalogue: Catalogue) -> None:
    types = {c: entry for c, entry in catalogue.types.items() if c != "CARRIER_REPORTED"}
    problems = check(msgspec.structs.replace(catalogue, types=types))
    missing = "types: CARRIER_REPORTED is missing; raw codes that are not clear map to it"
    assert problems[0] == missing


def test_a_mirror_with_legs_of_its_own_is_told_so(catalogue: Catalogue) -> None:
    legs = (
        LegRule(account="2010", side="debit", amount="gross"),
        LegRule(account="1010", side="credit", amount="gross"),
    )
    mirror = msgspec.structs.replace(catalogue.row("R5"), legs=legs)
    rows = catalogue.rows | {"R5": mirror}
    postings = msgspec.structs.replace(catalogue.postings, rows=rows)
    problems = check(msgspec.structs.replace(catalogue, postings=postings))
    assert problems == ["postings R5: a mirror has no legs of its own"]


def test_a_raw_code_in_the_shape_of_old_is_told_the_new_one(tmp_path: Path) -> None:
    text = 'feed = "own"\ntitle = { zh = "自有", en = "own" }\nzone = "UTC"\n[codes]\n'
    path = "sources/own.toml"
    (problem,) = problems_of(overlay(tmp_path, path, text + '2 = "CARRIER_REPORTED"\n'))
    assert problem == (
        f"{path}: '2' is plain text; write a table [codes.\"2\"] with "
        'title = { zh = "...", en = "..." }, status = "problem", opens = "CARRIER_REPORTED"'
    )
