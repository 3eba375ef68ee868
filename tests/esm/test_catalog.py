"""The packaged catalogue says what it must, and is known by the digest of its content."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from esm.catalog import (
    Catalogue,
    CatalogueError,
    NotInCatalogue,
    PostingRow,
    Title,
    load,
    parse,
)

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "catalogues"

CODES_BY_FAMILY = {
    "pickup": 6,
    "delay_loss": 18,
    "delivery": 13,
    "address": 6,
    "contents": 7,
    "sign_off": 5,
    "customs": 7,
    "return": 6,
    "weight_dispute": 1,
    "refund_dispute": 1,
    "chargeback": 1,
    "billing_dispute": 1,
    "claim_dispute": 1,
    "platform_complaint": 1,
    "payment": 4,
    "stock": 3,
    "cod_remittance": 1,
    "other": 1,
}
CODES_BY_PHASE = {"post_ship": 64, "pre_ship": 12, "commercial": 7}
CODES_BY_PRIORITY = {"P0": 10, "P1": 33, "P2": 32, "P3": 8}
CODES_BY_LEVEL = {1: 53, 2: 25, 3: 5}

SPOT_CHECKS = [
    ("LOST", "delay_loss", "post_ship", "P0", 3, "task_force"),
    ("NODE_STUCK", "delay_loss", "post_ship", "P1", 2, "support"),
    ("FORCE_MAJEURE", "delay_loss", "pre_ship", "P2", 2, "operations"),
    ("TRACKING_ANOMALY", "delay_loss", "post_ship", "P2", 1, "technical"),
    ("SHIP_OVERDUE", "pickup", "pre_ship", "P0", 2, "warehouse"),
    ("FALSE_SIGNOFF", "sign_off", "post_ship", "P0", 2, "carrier_desk"),
    ("WRONG_ITEM", "contents", "post_ship", "P1", 1, "warehouse"),
    ("QUALITY_RETURN", "contents", "post_ship", "P1", 2, "after_sales"),
    ("CUSTOMS_PROHIBITED", "customs", "post_ship", "P0", 3, "compliance"),
    ("CHARGEBACK", "chargeback", "commercial", "P0", 3, "finance"),
    ("PLATFORM_COMPLAINT", "platform_complaint", "commercial", "P0", 3, "support"),
    ("PAYMENT_FAILED", "payment", "pre_ship", "P0", 1, "finance"),
    ("OTHER", "other", "post_ship", "P3", 1, "operations"),
]

# From the weakest story about a delayed parcel to the strongest.
DELAY_LOSS_STORY = [
    "CARRIER_REPORTED",
    "TRANSIT_DELAY",
    "TRACKING_STALLED",
    "NODE_STUCK",
    "LONG_TRANSIT",
    "SUSPECTED_LOST",
    "LOST",
    "DELIVERED_AFTER_REMEDY",
]

CONTROL_ACCOUNTS = {
    "1110",
    "1115",
    "1120",
    "1125",
    "1130",
    "1140",
    "1150",
    "1160",
    "1210",
    "1220",
    "2010",
    "2030",
    "2040",
    "2055",
    "2060",
    "2085",
    "9010",
    "9990",
}
PROMISES = {
    "full_refund",
    "partial_refund",
    "shipping_refund",
    "cash_compensation",
    "coupon",
    "reship",
    "exchange_advance",
    "exchange_return_first",
    "exchange_keep",
}

# What the amounts of a fact have to do with each other: the sum of the first equals the second's.
TAXES = ("tax_documented", "tax_undocumented")
IDENTITIES = [
    (("goods", "shipping", *TAXES), ("gross",)),
    (("net", *TAXES), ("gross",)),
    (("net", "tax"), ("gross",)),
    (("value", "face_rest"), ("face",)),
    (("net", "fee"), ("amount",)),
    (("disputed", "fee", "fee_tax"), ("total",)),
    (("fee", "fee_tax"), ("total",)),
    (("obligation", "goods_difference", "freight_difference"), ("goods_cost", "freight")),
    (("accrued", "net_difference", "tax_difference"), ("invoiced",)),
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


# --- what is packaged -----------------------------------------------------------------------


def test_all_83_codes_are_there(catalogue: Catalogue) -> None:
    types = catalogue.types.values()
    assert len(types) == 83
    assert Counter(entry.family for entry in types) == CODES_BY_FAMILY
    assert Counter(entry.phase for entry in types) == CODES_BY_PHASE
    assert Counter(entry.priority for entry in types) == CODES_BY_PRIORITY
    assert Counter(entry.level for entry in types) == CODES_BY_LEVEL


@pytest.mark.parametrize("expected", SPOT_CHECKS, ids=lambda expected: expected[0])
def test_a_code_says_family_phase_priority_level_and_team(
    catalogue: Catalogue, expected: tuple[str, str, str, str, int, str]
) -> None:
    entry = catalogue.type_of(expected[0])
    assert expected == (
        entry.code,
        entry.family,
        entry.phase,
        entry.priority,
        entry.level,
        entry.team,
    )


def test_ranks_are_distinct_within_a_family(catalogue: Catalogue) -> None:
    ranks = [(entry.family, entry.rank) for entry in catalogue.types.values()]
    assert len(set(ranks)) == len(ranks)


def test_a_delay_grows_into_a_loss_and_never_back(catalogue: Catalogue) -> None:
    ranks = [catalogue.type_of(code).rank for code in DELAY_LOSS_STORY]
    assert ranks == sorted(ranks)
    force_majeure = catalogue.type_of("FORCE_MAJEURE").rank
    assert force_majeure < catalogue.type_of("SUSPECTED_LOST").rank


def test_every_code_has_a_checklist_and_post_ship_codes_ask_for_the_path(
    catalogue: Catalogue,
) -> None:
    for entry in catalogue.types.values():
        assert entry.checklist, entry.code
        if entry.phase == "post_ship":
            assert "last_event_and_path" in entry.checklist, entry.code
            assert "order_facts" in entry.checklist, entry.code


def test_everything_has_a_title_in_chinese_and_in_english(catalogue: Catalogue) -> None:
    titles: list[Title] = [*catalogue.teams.values(), *catalogue.checklist.values()]
    for table in (
        catalogue.types,
        catalogue.resolutions,
        catalogue.sources,
        catalogue.accounts,
        catalogue.rows,
        catalogue.charges,
        catalogue.remedies,
        catalogue.ledgers,
    ):
        titles.extend(entry.title for entry in table.values())
    titles.extend(code.title for feed in catalogue.sources.values() for code in feed.codes.values())
    assert len(titles) > 500
    assert all(title.zh.strip() and title.en.strip() for title in titles)
    assert catalogue.type_of("LOST").title == Title(zh="丢失", en="Lost")


def test_the_chart_is_whole_and_marks_the_control_accounts(catalogue: Catalogue) -> None:
    assert len(catalogue.accounts) == 56
    control = {number for number, entry in catalogue.accounts.items() if entry.control}
    assert control == CONTROL_ACCOUNTS
    memo = {number for number, entry in catalogue.accounts.items() if entry.kind == "memo"}
    assert memo == {"9010", "9990"}


def imbalance(row: PostingRow) -> dict[str, int]:
    """How often each amount is debited more than credited."""
    times: Counter[str] = Counter()
    for leg in row.legs:
        times[leg.amount] += 1 if leg.side == "debit" else -1
    return {amount: count for amount, count in times.items() if count}


def test_every_posting_row_balances_by_what_its_amounts_mean(catalogue: Catalogue) -> None:
    balanced: list[dict[str, int]] = [{}]
    for parts, wholes in IDENTITIES:
        sums = dict.fromkeys(parts, 1) | dict.fromkeys(wholes, -1)
        balanced += [sums, {amount: -count for amount, count in sums.items()}]
    for name, row in catalogue.rows.items():
        assert imbalance(row) in balanced, name


def test_a_leg_on_a_control_account_names_its_party(catalogue: Catalogue) -> None:
    for name, row in catalogue.rows.items():
        for leg in row.legs:
            if not leg.account.startswith("$") and catalogue.account(leg.account).control:
                assert leg.party, (name, leg)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("full_refund", {"R1", "R2", "R3", "R5"}),
        ("partial_refund", {"P1", "R2", "R3", "R5"}),
        ("shipping_refund", {"R1", "R2", "R3", "R5"}),
        ("cash_compensation", {"P2", "P2.beyond_contract", "P2.paid", "R5"}),
        ("coupon", {"P3", "P4.used", "P4.ended"}),
        ("reship", {"S1", "S2", "S1.cancelled"}),
        ("exchange_keep", {"S1", "S2", "S1.cancelled"}),
        ("claim", {"C1", "C2", "C3", "C4", "C5"}),
        ("restore_sale", {"V1.R1", "V1.R2", "V1.P1", "X1"}),
        ("explain_only", set()),
    ],
)
def test_a_remedy_names_its_posting_rows(catalogue: Catalogue, kind: str, rows: set[str]) -> None:
    assert set(catalogue.remedy(kind).row_names()) == rows


def test_gate_c_and_the_carrier_question_stand_on_the_right_remedies(
    catalogue: Catalogue,
) -> None:
    def kinds(flag: str) -> set[str]:
        return {kind for kind, entry in catalogue.remedies.items() if getattr(entry, flag)}

    assert len(catalogue.remedies) == 27
    assert kinds("promise") == PROMISES
    assert {"expedite", "redeliver", "intercept", "relabel"} <= kinds("asks_carrier")
    assert not kinds("promise") & kinds("asks_carrier")
    recovery = {kind for kind, entry in catalogue.remedies.items() if entry.side == "recovery"}
    assert recovery == {"claim", "carrier_penalty"}


def test_charges_go_to_the_cost_accounts(catalogue: Catalogue) -> None:
    assert {kind: charge.account for kind, charge in catalogue.charges.items()} == {
        "reship_freight": "5010",
        "return_freight": "5040",
        "interception": "5040",
        "duty": "5110",
        "storage": "5110",
        "address_correction": "5120",
        "redelivery": "5120",
        "expedite": "5120",
        "surcharge": "5130",
        "weight_adjustment": "5130",
    }


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [("CNY", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("CLF", 4)],
)
def test_a_currency_has_the_exponent_of_the_standard(
    catalogue: Catalogue, currency: str, exponent: int
) -> None:
    assert len(catalogue.currencies) == 165
    assert catalogue.exponent(currency) == exponent


@pytest.mark.parametrize("currency", ["XAU", "XTS", "DEM", "cny", ""])
def test_what_is_no_money_has_no_exponent(catalogue: Catalogue, currency: str) -> None:
    with pytest.raises(NotInCatalogue):
        catalogue.exponent(currency)


# --- look-ups -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("feed", "raw_code", "code"),
    [
        ("aftership", "Exception_003", "REFUSED"),
        ("aftership", "Exception_001", "CARRIER_REPORTED"),
        ("aftership", "Exception_013", "CARRIER_REPORTED"),
        ("kuaidi100", "4", "RETURNED"),
        ("kdniao", "4", "CARRIER_REPORTED"),
        ("track17", "Exception_Lost", "CARRIER_REPORTED"),
        ("track17", "Exception_Damage", "DAMAGED"),
        ("track17", "Exception_Unheard", "OTHER"),
        ("aftership", "InfoReceived_001", ""),
        ("track17", "Delivered_Other", ""),
        ("easypost", "in_transit/weather_delay", "WEATHER_DELAY"),
        ("easypost", "delivered/damaged", "DAMAGED"),
        ("easypost", "failure/something_new", "CARRIER_REPORTED"),
        ("easypost", "something_new/return", "OTHER"),
        ("x12_214", "X6", ""),
        ("x12_214", "X6/AI", "OPERATIONAL_DELAY"),
        ("x12_214", "D1/AI", ""),
        ("x12_214", "D1/AK", "DAMAGED"),
        ("epcis", "inspecting/damaged", "DAMAGED"),
        ("no-such-feed", "4", "OTHER"),
    ],
)
def test_a_raw_code_maps_per_feed_or_to_nothing_and_an_unknown_one_to_other(
    catalogue: Catalogue, feed: str, raw_code: str, code: str
) -> None:
    assert catalogue.code_for(feed, raw_code) == code


def test_a_code_of_two_parts_is_looked_up_whole_and_then_by_its_parts(
    catalogue: Catalogue,
) -> None:
    codes = catalogue.sources["x12_214"].codes
    assert catalogue.meaning("x12_214", "D1/AK") is codes["D1/AK"]
    assert catalogue.meaning("x12_214", "X6/AI") is codes["*/AI"]
    assert catalogue.meaning("x12_214", "X6/NS") is codes["X6/*"]
    assert catalogue.meaning("x12_214", "X6") is codes["X6/*"]
    assert catalogue.meaning("x12_214", "") is None
    assert catalogue.meaning("x12_214", "D1/AI") is codes["D1/*"]
    assert catalogue.meaning("x12_214", "A3/A2") is codes["A3/*"]
    assert catalogue.meaning("x12_214", "Q9/Q9") is None
    codes = catalogue.sources["karrio"].codes
    assert catalogue.meaning("karrio", "on_hold/regulatory_hold") is codes["*/regulatory_hold"]
    assert catalogue.meaning("karrio", "on_hold/something_new") is codes["on_hold"]
    codes = catalogue.sources["epcis"].codes
    assert catalogue.meaning("epcis", "shipping/active") is codes["shipping/*"]


def test_a_name_that_is_not_there_is_named_with_its_table(catalogue: Catalogue) -> None:
    with pytest.raises(NotInCatalogue) as caught:
        catalogue.type_of("LOSST")
    assert (caught.value.table, caught.value.name) == ("types", "LOSST")
    for look_up in (
        catalogue.remedy,
        catalogue.account,
        catalogue.row,
        catalogue.charge,
        catalogue.resolution,
    ):
        with pytest.raises(NotInCatalogue):
            look_up("nothing")


def test_resolutions_say_what_they_close(catalogue: Catalogue) -> None:
    withdrawn = {c for c, entry in catalogue.resolutions.items() if entry.closes == "withdrawn"}
    assert withdrawn == {"RESUMED", "FALSE_ALARM", "ENTERED_IN_ERROR"}
    assert catalogue.resolution("REFUNDED").closes == "remediated"


# --- content and digests --------------------------------------------------------------------


def test_content_is_canonical_json_and_the_digest_is_its_sha256(catalogue: Catalogue) -> None:
    again = json.dumps(
        json.loads(catalogue.content), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert again.encode() == catalogue.content
    assert hashlib.sha256(catalogue.content).hexdigest() == catalogue.digest


def test_the_postings_digest_is_that_of_chart_and_rules(catalogue: Catalogue) -> None:
    content = json.loads(catalogue.content)
    money = json.dumps(
        {"accounts": content["accounts"], "postings": content["postings"]},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    assert hashlib.sha256(money.encode()).hexdigest() == catalogue.postings_digest


def test_the_digest_is_the_same_on_every_load(catalogue: Catalogue) -> None:
    assert load().digest == catalogue.digest


def test_the_published_content_gives_the_same_catalogue_back(catalogue: Catalogue) -> None:
    rebuilt = parse(catalogue.content)
    assert rebuilt.digest == catalogue.digest
    assert rebuilt.postings_digest == catalogue.postings_digest
    assert rebuilt == catalogue


def test_a_catalogue_published_with_plain_source_codes_still_loads(catalogue: Catalogue) -> None:
    content = (GOLDEN / "plain_source_codes.json").read_bytes()
    rebuilt = parse(content)
    assert rebuilt.digest == hashlib.sha256(content).hexdigest() != catalogue.digest
    assert rebuilt.content == content
    assert rebuilt.code_for("track17", "Exception_Lost") == "CARRIER_REPORTED"
    assert rebuilt.code_for("track17", "Exception_Damage") == "DAMAGED"
    assert rebuilt.code_for("track17", "Delivered_Other") == "OTHER"
    assert rebuilt.sources["track17"].zone == "UTC"


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff", b'{"types":[]}', b'{"sources":{"a":{"codes":[]},"b":1}}'],
)
def test_bytes_that_are_no_catalogue_are_refused(content: bytes) -> None:
    with pytest.raises(CatalogueError, match="published catalogue"):
        parse(content)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_bytes_nested_too_deep_are_refused(opening: bytes) -> None:
    with pytest.raises(CatalogueError, match="published catalogue"):
        parse(opening * 100_000)


def test_nothing_in_a_catalogue_can_be_assigned(catalogue: Catalogue) -> None:
    remedy = catalogue.remedy("coupon")
    with pytest.raises(AttributeError):
        remedy.promise = False  # type: ignore[misc]  # the very thing that must not work
