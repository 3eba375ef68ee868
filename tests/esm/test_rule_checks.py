"""What does not fit together in the tables of detection is named, with its place."""

from pathlib import Path

import pytest

from esm.catalog import Catalogue, CatalogueError, check, load, parse
from tests.esm.test_catalog_files import edited, overlay, packaged, problems_of

STALL = "rules/TRACKING_STALLED.toml"
PROMISE = "rules/PROMISE_MISSED.toml"
CUSTOMS = "rules/CUSTOMS_DELAY.toml"
EVENT = "rules/carrier_event.toml"
ATTEMPTS = "rules/ATTEMPTS_EXHAUSTED.toml"
STATUS = "rules/DELIVERY_TIMEOUT.toml"
ABROAD = "[[override]]\ncross_border = true\n"


@pytest.mark.parametrize(
    ("path", "old", "new", "problem"),
    [
        (STALL, "version = 1", "version = 0", "version is 0, must be 1 or more"),
        (STALL, 'code = "TRACKING_STALLED"', 'code = "STALLED"', "unknown code 'STALLED'"),
        (STALL, 'code = "TRACKING_STALLED"\n', "", "a code stands on every rule but those since"),
        (EVENT, "since", 'code = "LOST"\nsince', "a code stands on every rule but those since"),
        (STALL, '"SUSPECTED_LOST"', '"VANISHED"', "unknown code 'VANISHED'"),
        (STALL, '"SUSPECTED_LOST"', '"DAMAGED"', "DAMAGED is not of the family delay_loss"),
        (STALL, '"SUSPECTED_LOST"', '"MISROUTED"', "MISROUTED does not rank above TRACKING_STAL"),
        (STALL, '"36h"', '"48h"', "at_risk 48h, breached 48h, serious 7d"),
        (STALL, '"7d"', '"47h"', "at_risk 36h, breached 48h, serious 47h"),
        (STALL, 'serious = "20d"', 'breached = "8d"', "override 1: each stage must come later"),
        (STALL, '"7d"', '"99999999d"', "serious 99999999d is longer than 3650 days"),
        (STALL, 'serious = "20d"', 'serious = "3651d"', "override 1: serious 3651d is longer"),
        (CUSTOMS, '"10bd"', '"3651bd"', "serious 3651bd is longer than 3650 days"),
        (PROMISE, '"-12h"', '"-3651d"', "at_risk -3651d is longer than 3650 days"),
        (STALL, '"36h"', '"-48h"', "at_risk -48h must lie behind what it counts from, checkpoint"),
        (STALL, '"36h"', '"0h"', "at_risk 0h must lie behind what it counts from, checkpoint"),
        (STALL, 'serious = "20d"', 'at_risk = "0m"', "override 1: at_risk 0m must lie behind"),
        (CUSTOMS, '"*-CN"', '"*_CN"', "override 1: lane '*_CN' is none of the form \"CN-US\""),
        (CUSTOMS, '"*-CN"', '"CN-us"', "override 1: lane 'CN-us' is none of the form \"CN-US\""),
        (CUSTOMS, '"*-CN"', '"*-*"', "override 1: lane '*-*' is none of the form \"CN-US\""),
        (CUSTOMS, '"3bd"', '"3d"', "either business days or hours and days, not both"),
        (PROMISE, '"-12h"', '"12h"', "at_risk 12h, breached 0h"),
        (PROMISE, 'breached = "0h"\n', "", "stays is breached, which has no span"),
        (CUSTOMS, '"CN"', '"XX"', "override 1: calendar 'XX' is no country or region"),
        (CUSTOMS, '"US"', '"US-XX"', "override 2: calendar 'US-XX' is no country or region"),
        (CUSTOMS, '"Asia/Shanghai"', '"Asia/Nowhere"', "unknown time zone 'Asia/Nowhere'"),
        (STATUS, 'while = ["out_for_delivery"]', "", "since status needs while"),
        (STATUS, '"attempted"', '"out_for_delivery"', "out_for_delivery stands in while and in"),
        (STALL, "while =", 'until = ["delivered"]\nwhile =', "until has no meaning since check"),
        (PROMISE, "until =", 'while = ["arrived"]\nuntil =', "while has no meaning since promised"),
        (PROMISE, "until =", "# until =", "since promised needs until"),
        (STALL, "since", "count = 3\nsince", "count has no meaning since checkpoint"),
        (ATTEMPTS, "count = 3", "", "count is 0, must be 1 or more"),
        (ATTEMPTS, "count = 3", 'count = 3\nbreached = "2h"', "breached needs a rule with a time"),
        (ATTEMPTS, "count = 3", 'count = 3\nstays = "serious"', "stays needs a rule with a time"),
        (STALL, ABROAD, '[[override]]\nservice = ["air"]\n', "override 1: unknown service 'air'"),
        (STALL, ABROAD, '[[override]]\nseason = "02-30/03-01"\n', "is not two days of a year"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(
    tmp_path: Path, path: str, old: str, new: str, problem: str
) -> None:
    found = problems_of(edited(tmp_path, path, old, new))
    assert any(problem in each for each in found), found
    assert all(each.startswith(f"rules {Path(path).stem}: ") for each in found), found


LATE = 'breached = "60h"'
EARLY = 'at_risk = "47h"'
SHORT = 'breached = "37h"'


@pytest.mark.parametrize(
    ("one", "other", "bad"),
    [
        ('carrier = ["zto"]', 'lane = ["CN-*"]', True),
        ('lane = ["CN-*"]', 'lane = ["*-US"]', True),
        ('season = "12-15/01-05"', 'season = "01-05/02-01"', True),
        ('status = ["departed", "arrived"]', 'status = ["arrived"]', True),
        ("cross_border = true", 'lane = ["CN-CN", "*-US"]', True),
        ('carrier = ["zto"]', 'carrier = ["yto"]', False),
        ('service = ["untracked_mail"]', 'service = ["post"]', False),
        ('lane = ["CN-*"]', 'lane = ["*-US"]\ncarrier = ["zto"]\ncross_border = true', True),
        ('lane = ["CN-*"]', 'lane = ["US-*", "DE-FR"]', False),
        ('season = "12-15/01-05"', 'season = "01-06/12-14"', False),
        ('status = ["departed"]', 'status = ["arrived"]', False),
        ("cross_border = true", 'lane = ["CN-CN"]', False),
    ],
)
def test_overrides_that_can_match_together_are_checked_together(
    tmp_path: Path, one: str, other: str, *, bad: bool
) -> None:
    bare = packaged(STALL).partition("[[override]]")[0]
    over = f"[[override]]\n{one}\n{EARLY}\n[[override]]\n{other}\n{SHORT}\n"
    found = _problems(overlay(tmp_path, STALL, bare + over))
    together = [each for each in found if "overrides 1 and 2 together" in each]
    assert [each for each in found if "unknown service" not in each] == together
    assert [("at_risk 47h, breached 37h" in each) for each in together] == [True] * bad


@pytest.mark.parametrize(
    ("third", "bad"),
    [
        ('carrier = ["zto", "yto"]\nlane = ["*-US"]\ncross_border = true', False),
        ('carrier = ["zto"]\nlane = ["CN-US"]\nseason = "01-01/12-30"', True),
        ('carrier = ["yto"]\nlane = ["CN-US"]', True),
        ('lane = ["CN-DE"]', True),
        ('status = ["departed"]', True),
    ],
)
def test_an_override_that_matches_whenever_two_do_may_put_them_right(
    tmp_path: Path, third: str, *, bad: bool
) -> None:
    bare = packaged(STALL).partition("[[override]]")[0]
    over = "".join(
        f"[[override]]\n{each}\n"
        for each in (
            f'carrier = ["zto"]\n{EARLY}',
            f'lane = ["CN-US"]\n{SHORT}',
            third + "\n" + LATE,
        )
    )
    found = _problems(overlay(tmp_path, STALL, bare + over))
    assert any("overrides 1 and 2 together" in each for each in found) == bad


def test_a_rule_has_a_bounded_number_of_overrides(tmp_path: Path) -> None:
    bare = packaged(STALL).partition("[[override]]")[0]
    over = "".join(f'[[override]]\ncarrier = ["c{n}"]\n{LATE}\n' for n in range(501))
    (found,) = problems_of(overlay(tmp_path, STALL, bare + over))
    assert found == "rules TRACKING_STALLED: has 501 overrides, at most 500"


def _problems(folder: Path) -> tuple[str, ...]:
    try:
        load(folder)
    except CatalogueError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    ("path", "addition", "problem"),
    [
        (EVENT, 'season = "11-01/11-30"', "season has no meaning since event"),
        (EVENT, 'status = ["arrived"]', "status has no meaning since event"),
        (PROMISE, 'status = ["arrived"]', "status has no meaning since promised"),
        (EVENT, 'at_risk = "3h"', "at_risk needs a rule with a time"),
    ],
)
def test_an_override_of_what_a_rule_has_not_is_refused(
    tmp_path: Path, path: str, addition: str, problem: str
) -> None:
    text = f"{packaged(path)}\n[[override]]\nsuppressed = true\n{addition}\n"
    (found,) = problems_of(overlay(tmp_path, path, text))
    assert problem in found


def test_a_timed_rule_has_a_stage(tmp_path: Path) -> None:
    text = packaged(STATUS)
    for stage in ("at_risk", "breached", "serious"):
        text = text.replace(f"\n{stage} = ", f"\n# {stage} = ")
    assert problems_of(overlay(tmp_path, STATUS, text)) == ("rules DELIVERY_TIMEOUT: has no stage",)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"36h"', '"36 hours"'),
        ('"36h"', '"36h\\n"'),
        ('since = "checkpoint"', 'since = "yesterday"'),
        ('"collected"', '"gone"'),
        ("cross_border = true", 'season = "November"'),
        ('rule = "TRACKING_STALLED"', 'rule = "OTHER_NAME"'),
        ('en = "No tracking update"', 'en = " "'),
    ],
)
def test_a_rule_in_other_words_than_the_catalogues_is_refused(
    tmp_path: Path, old: str, new: str
) -> None:
    found = problems_of(edited(tmp_path, STALL, old, new))
    assert "TRACKING_STALLED" in found[0]


@pytest.mark.parametrize(
    ("path", "old", "new", "problem"),
    [
        ("clearings.toml", '["pickup", ', '["picking", ', "unknown code or family 'picking'"),
        ("clearings.toml", '"DELIVERY_FAILED"', '"FAILED"', "problem: unknown code 'FAILED'"),
        ("clearings.toml", 'opens = "DELIVERY_FAILED"', "", "by_text chooses instead of opens"),
        ("words.toml", "[STOLEN]", "[TAKEN]", "words: unknown code 'TAKEN'"),
        ("words.toml", '"stolen"', '"Stolen"', "words STOLEN: 'Stolen' must be small letters"),
        ("status_words.toml", '"arrival"', '"arrival "', "status_words arrived: 'arrival '"),
        ("status_words.toml", '"arrival"', '"leaving"', "'leaving' says arrived and departed"),
        ("guards.toml", '"scheduled"', '"Scheduled"', "guards plans: 'Scheduled' must be small"),
        ("services.toml", "平邮（无轨迹）", "", "services untracked_mail: no title in zh"),
    ],
)
def test_what_does_not_fit_around_the_rules_is_refused(
    tmp_path: Path, path: str, old: str, new: str, problem: str
) -> None:
    (found,) = problems_of(edited(tmp_path, path, old, new))
    assert problem.removeprefix("problem: ") in found


def test_an_operators_rule_is_one_file(tmp_path: Path) -> None:
    text = packaged(STATUS).replace('"DELIVERY_TIMEOUT"', '"MY_OWN"', 1)
    changed = load(overlay(tmp_path, "rules/MY_OWN.toml", text))
    assert changed.rules["MY_OWN"].code == "DELIVERY_TIMEOUT"
    assert check(changed) == []


def test_a_catalogue_published_before_there_were_rules_still_loads() -> None:
    content = (
        Path(__file__).resolve().parents[1] / "golden" / "catalogues" / "plain_source_codes.json"
    ).read_bytes()
    before = parse(content)
    assert (before.rules, before.services, before.clearings, before.words) == ({}, {}, {}, {})
    assert before.status_words == {}


def test_a_published_catalogue_gives_its_rules_back() -> None:
    catalogue: Catalogue = load()
    assert parse(catalogue.content).rules == catalogue.rules
    assert len(catalogue.rules) == 18
    with pytest.raises(CatalogueError):
        parse(catalogue.content.replace(b'"at_risk":"36h"', b'"at_risk":"soon"'))
