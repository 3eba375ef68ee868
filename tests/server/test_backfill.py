"""From made-up histories to planned commands: every rule of the mapping language."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from server.backfill import BadRow, Mapping, MappingError, Planned, load, parse, plan, read
from server.backfill import mapping as language

ROOT = Path(__file__).resolve().parents[2]

DESK = """
name = "desk"

[[time]]
column = "when"
zone = "Asia/Shanghai"

[subject]
order_id = { column = "order" }
shipment_code = { column = "parcel" }

[open]
code = "TRACKING_STALLED"
feed = "desk"
source_id = { column = "parcel" }
none_yet = true

[level]
reason = "the desk handed it over"

[level.value]
column = "group"
default = "1"
cases = [{ suffix = "-chief", value = "3" }, { prefix = "back", value = "2" }]

[owner]
owner = { column = "group" }

[[verify]]
item = "last_event_and_path"
when = [{ column = "group", prefix = "back" }, { column = "state", equals = "done" }]

[wait.party]
column = "state"
table = { "wait buyer" = "customer", "wait maker" = "supplier", "held" = "" }
default = ""

[[note]]
when = { column = "remark" }
text = { column = "remark" }

[complete]
when = { column = "state", equals = ["done", "closed"] }
summary = "All is well again."

[reopen]
when = { column = "state", unlike = ["done", "closed"] }
reason = "The desk took it up again."
"""

HEADER = "order,parcel,when,group,state,remark"


def desk(*lines: str) -> str:
    return "\n".join((HEADER, *lines)) + "\n"


def planned(
    tmp_path: Path, *contents: str, mapping: str = DESK, suffix: str = ".csv"
) -> tuple[list[Planned], list[BadRow]]:
    """What the contents of files give: commands, and bad rows with the name of the file alone."""
    paths = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(content.encode("utf-8", errors="surrogateescape"))
        paths.append(path)
    rules = parse(mapping)
    rows, bad = read(paths, rules)
    commands: list[Planned] = []
    for item in plan(rules, rows):
        if isinstance(item, BadRow):
            bad.append(item)
        else:
            commands.append(item)
    return commands, [row._replace(file=Path(row.file).name) for row in bad]


def rpcs(commands: Sequence[Planned], line: int | None = None) -> list[str]:
    return [c.rpc for c in commands if line is None or c.line == line]


def requests(commands: Sequence[Planned], rpc: str, field: str) -> list[str]:
    return [c.request[field] for c in commands if c.rpc == rpc]


COMPLETION = [
    "ProposeAction",
    "ApproveAction",
    "SubmitAction",
    "RecordActionOutcome",
    "RemediateException",
]


def test_the_first_row_opens_a_case_at_risk_and_takes_it_into_work(tmp_path: Path) -> None:
    commands, bad = planned(tmp_path, desk("O1,P1,2026-01-02T08:00:00,front,new,"))
    assert bad == []
    assert rpcs(commands) == ["DetectException", "EscalateException", "AssignException"]
    at = "2026-01-02T00:00:00.000000Z"
    opening, level, owner = commands
    assert opening.request == {
        "subject": {"order_id": "O1", "shipment_code": "P1"},
        "signal": {"kind": "alert", "feed": "desk", "source_id": "P1", "occurred_at": at},
        "code": "TRACKING_STALLED",
        "none_yet_looked_at": at,
        "stage": "STAGE_AT_RISK",
        "occurred_at": at,
        "request_id": opening.request_id,
    }
    assert opening.fills == ()
    assert level.request["level"] == "RESPONSE_LEVEL_1"
    assert level.fills == ("exception_id",)
    assert owner.request["owner"] == "front"
    assert {c.occurred for c in commands} == {at}


def test_a_case_opened_on_a_high_line_is_verified_before_its_level(tmp_path: Path) -> None:
    commands, _ = planned(tmp_path, desk("O1,P1,2026-01-02,back,new,"))
    assert rpcs(commands) == [
        "DetectException",
        "RecordVerification",
        "EscalateException",
        "AssignException",
    ]
    assert commands[1].request["item"] == "last_event_and_path"


def test_without_a_level_a_case_comes_into_work_by_its_code(tmp_path: Path) -> None:
    mapping = re.sub(r"\[level\].*?(?=\[owner\])", "", DESK, flags=re.DOTALL)
    commands, _ = planned(tmp_path, desk("O1,P1,2026-01-02,front,new,"), mapping=mapping)
    assert rpcs(commands) == ["DetectException", "AssignException"]
    assert "stage" not in commands[0].request


def test_rows_like_the_row_before_give_no_command(tmp_path: Path) -> None:
    commands, _ = planned(
        tmp_path,
        desk("O1,P1,2026-01-02,front,new,", "O1,P1,2026-01-03,front,busy,"),
    )
    assert rpcs(commands, line=3) == []


def test_levels_and_owners_move_with_the_row_before(tmp_path: Path) -> None:
    commands, _ = planned(
        tmp_path,
        desk(
            "O1,P1,2026-01-01,front,new,",
            "O1,P1,2026-01-02,back,new,",
            "O1,P1,2026-01-03,backup,new,",
            "O1,P1,2026-01-04,x-chief,new,",
            "O1,P1,2026-01-05,front,new,",
        ),
    )
    levels = requests(commands, "EscalateException", "level")
    assert [level[-1] for level in levels] == ["1", "2", "3", "1"]
    owners = requests(commands, "AssignException", "owner")
    assert owners == ["front", "back", "backup", "x-chief", "front"]
    assert rpcs(commands).count("RecordVerification") == 1


def test_an_empty_owner_stays_as_it_was(tmp_path: Path) -> None:
    commands, _ = planned(
        tmp_path,
        desk(
            "O1,P1,2026-01-01,front,new,", "O1,P1,2026-01-02,,new,", "O1,P1,2026-01-03,front,new,"
        ),
    )
    assert rpcs(commands).count("AssignException") == 1


def test_waiting_starts_changes_and_stops(tmp_path: Path) -> None:
    states = ("new", "wait buyer", "wait buyer", "wait maker", "held", "wait buyer", "done")
    lines = [f"O1,P1,2026-01-0{d},front,{state}," for d, state in enumerate(states, start=1)]
    commands, _ = planned(tmp_path, desk(*lines))
    waits = [(c.line, c.rpc, c.request.get("party")) for c in commands if "Waiting" in c.rpc]
    assert waits == [
        (3, "StartWaiting", "customer"),
        (5, "StartWaiting", "supplier"),
        (6, "StopWaiting", None),
        (7, "StartWaiting", "customer"),
        (8, "StopWaiting", None),
    ]


def test_completing_explains_and_then_remediates(tmp_path: Path) -> None:
    commands, _ = planned(
        tmp_path, desk("O1,P1,2026-01-01,front,new,", "O1,P1,2026-01-02,front,done,")
    )
    done = [c for c in commands if c.line == 3]
    assert rpcs(done) == ["RecordVerification", *COMPLETION]
    assert done[1].request["kind"] == "explain_only"
    assert done[2].fills == ("exception_id", "action_id")
    assert done[4].request["outcome"] == "ACTION_OUTCOME_SUCCEEDED"
    assert done[5].request["resolution"] == "EXPLAINED"
    assert done[5].request["summary"] == "All is well again."
    assert done[5].fills == ("exception_id",)


def test_a_completed_row_behind_a_completed_row_completes_nothing(tmp_path: Path) -> None:
    commands, _ = planned(
        tmp_path,
        desk(
            "O1,P1,2026-01-01,front,done,",
            "O1,P1,2026-01-02,front,closed,",
            "O1,P1,2026-01-03,front,done,",
        ),
    )
    assert rpcs(commands, line=2)[-5:] == COMPLETION
    assert rpcs(commands, line=3) == rpcs(commands, line=4) == []


def test_between_completed_rows_the_owner_and_level_still_move(tmp_path: Path) -> None:
    commands, _ = planned(
        tmp_path,
        desk("O1,P1,2026-01-01,front,done,", "O1,P1,2026-01-02,back,closed,"),
    )
    # Its verification came with the completion: a finished case would refuse it.
    assert rpcs(commands, line=3) == ["EscalateException", "AssignException"]
    assert rpcs(commands, line=2).count("RecordVerification") == 1


def test_a_row_that_goes_on_reopens_and_one_row_may_do_everything(tmp_path: Path) -> None:
    mapping = DESK.replace(
        'when = { column = "state", equals = ["done", "closed"] }',
        'when = { column = "state", prefix = "done" }',
    ).replace(
        'when = { column = "state", unlike = ["done", "closed"] }',
        'when = { column = "state", suffix = "again" }',
    )
    mapping = mapping.replace(', { column = "state", equals = "done" }', "")
    commands, _ = planned(
        tmp_path,
        desk(
            "O1,P1,2026-01-01,front,done,",
            "O1,P1,2026-01-02,back,wait buyer again,",
            "O1,P1,2026-01-03,front,done again,told",
            "O1,P1,2026-01-04,back,done again,",
        ),
        mapping=mapping.replace('{ "wait buyer"', '{ "wait buyer again" = "customer", "wait b"'),
    )
    assert rpcs(commands, line=3) == [
        "ReopenException",
        "RecordVerification",
        "EscalateException",
        "AssignException",
        "StartWaiting",
    ]
    assert rpcs(commands, line=4) == [
        "EscalateException",
        "AssignException",
        "StopWaiting",
        "AddNote",
        *COMPLETION,
    ]
    assert rpcs(commands, line=5) == [
        "ReopenException",
        "EscalateException",
        "AssignException",
        *COMPLETION,
    ]


def test_a_note_is_written_when_it_says_something_new(tmp_path: Path) -> None:
    remarks = ("a", "a", "", "a", "b")
    lines = [f"O1,P1,2026-01-0{d},front,new,{r}" for d, r in enumerate(remarks, start=1)]
    commands, _ = planned(tmp_path, desk(*lines))
    assert requests(commands, "AddNote", "text") == ["a", "a", "b"]
    assert [c.line for c in commands if c.rpc == "AddNote"] == [2, 5, 6]


def test_rows_before_the_one_that_opens_say_nothing(tmp_path: Path) -> None:
    mapping = DESK.replace("[open]\n", '[open]\nwhen = { column = "state", prefix = "lat" }\n')
    commands, bad = planned(
        tmp_path,
        desk(
            "O1,P1,2026-01-01,front,new,",
            "O1,P1,2026-01-02,front,done,",
            "O1,P1,2026-01-03,front,late,",
        ),
        mapping=mapping,
    )
    assert bad == []
    assert {c.line for c in commands} == {4}
    assert rpcs(commands)[0] == "DetectException"


def test_rows_of_all_files_are_sorted_by_time_before_they_are_judged(tmp_path: Path) -> None:
    commands, _ = planned(
        tmp_path,
        desk("O1,P1,2026-01-03,back,new,", "O2,P2,2026-01-01,front,new,"),
        desk("O1,P1,2026-01-02,front,new,", "O1,P1,2026-01-04,front,done,"),
    )
    assert [c.occurred for c in commands] == sorted(c.occurred for c in commands)
    first = [c.request["owner"] for c in commands if c.case == "O1/P1" and "owner" in c.request]
    assert first == ["front", "back", "front"]
    opening = next(c for c in commands if c.case == "O1/P1")
    assert (Path(opening.file).name, opening.line) == ("1.csv", 2)


def test_rows_of_one_instant_keep_their_order_or_follow_the_sequence(tmp_path: Path) -> None:
    lines = ("O1,P1,2026-01-01,a,new,2", "O1,P1,2026-01-01,b,new,10", "O1,P1,2026-01-01,c,new,1")
    commands, _ = planned(tmp_path, desk(*lines))
    assert requests(commands, "AssignException", "owner") == ["a", "b", "c"]
    commands, _ = planned(tmp_path, desk(*lines), mapping='sequence = "remark"\n' + DESK)
    assert requests(commands, "AssignException", "owner") == ["c", "a", "b"]


def test_the_same_rows_in_other_files_give_the_same_requests(tmp_path: Path) -> None:
    lines = ("O1,P1,2026-01-01,front,new,", "O1,P1,2026-01-02,back,done,", "O2,P2,2026-01-01,f,,")
    once, _ = planned(tmp_path, desk(*lines))
    other, _ = planned(tmp_path, desk(lines[2], lines[1]), desk(lines[0]))
    assert {c.request_id: c.request for c in once} == {c.request_id: c.request for c in other}
    assert len({c.request_id for c in once}) == len(once)
    twice, bad = planned(tmp_path, desk(*lines, *lines), desk(*lines))
    assert bad == []
    assert [c.request for c in twice] == [c.request for c in once]
    renamed, _ = planned(tmp_path, desk(*lines), mapping=DESK.replace('"desk"', '"desk2"', 1))
    assert not {c.request_id for c in renamed} & {c.request_id for c in once}


def test_one_key_with_two_contents_is_a_bad_row(tmp_path: Path) -> None:
    commands, bad = planned(
        tmp_path,
        desk("O1,P1,2026-01-01,front,new,", "O1,P1,2026-01-01,back,new,"),
        mapping='key = ["parcel", "when"]\n' + DESK,
    )
    assert {c.line for c in commands} == {2}
    assert [(row.line, "another row with this key" in row.reason) for row in bad] == [(3, True)]


STAMPS = """
name = "stamps"
[subject]
order_id = { column = "order" }
[open]
code = "ORDER_SPLIT_NEEDED"
"""


@pytest.mark.parametrize(
    ("text", "form", "zone", "expected"),
    [
        ("2026-07-01T12:00:00+02:00", "iso", "UTC", "2026-07-01T10:00:00.000000Z"),
        ("2026-07-01T12:00:00Z", "iso", "Asia/Shanghai", "2026-07-01T12:00:00.000000Z"),
        ("2026-07-01 12:00:00.123456", "iso", "Europe/Berlin", "2026-07-01T10:00:00.123456Z"),
        ("2026-12-01", "iso", "America/Sao_Paulo", "2026-12-01T03:00:00.000000Z"),
        ("01/07/2026 12:00", "%d/%m/%Y %H:%M", "UTC", "2026-07-01T12:00:00.000000Z"),
        ("01/07/2026 12:00 +0800", "%d/%m/%Y %H:%M %z", "UTC", "2026-07-01T04:00:00.000000Z"),
        ("1782900000", "unix", "UTC", "2026-07-01T10:00:00.000000Z"),
        ("1782900000001", "unix_ms", "UTC", "2026-07-01T10:00:00.001000Z"),
    ],
)
def test_times_are_read_by_format_and_zone(
    tmp_path: Path, text: str, form: str, zone: str, expected: str
) -> None:
    time = f'[[time]]\ncolumn = "t"\nformat = "{form}"\nzone = "{zone}"\n'
    commands, bad = planned(tmp_path, f"order,t\nO1,{text}\n", mapping=STAMPS + time)
    assert bad == []
    assert commands[0].occurred == expected


def test_the_first_filled_of_several_time_columns_counts(tmp_path: Path) -> None:
    times = '[[time]]\ncolumn = "seen"\n[[time]]\ncolumn = "sent"\nzone = "Asia/Tokyo"\n'
    content = "order,seen,sent\nO1,2026-01-01,2026-02-01\nO2,,2026-02-01\n"
    commands, _ = planned(tmp_path, content, mapping=STAMPS + times)
    assert {c.case: c.occurred for c in commands} == {
        "O1": "2026-01-01T00:00:00.000000Z",
        "O2": "2026-01-31T15:00:00.000000Z",
    }


def test_each_named_moment_of_a_row_is_a_row_of_its_own(tmp_path: Path) -> None:
    times = "".join(
        f'[[time]]\ncolumn = "{name}_at"\nmoment = "{name}"\n' for name in ("bought", "handed")
    )
    note = '[[note]]\ntext = { column = "@moment" }\n'
    content = "order,bought_at,handed_at\nO1,2026-01-02,2026-01-01\nO2,2026-01-03,\n"
    commands, _ = planned(tmp_path, content, mapping=STAMPS + times + note)
    notes = [(c.case, c.request["text"]) for c in commands if c.rpc == "AddNote"]
    assert notes == [("O1", "handed"), ("O1", "bought"), ("O2", "bought")]
    assert len({c.request_id for c in commands}) == len(commands)


def test_bad_rows_are_named_with_file_line_and_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    mapping = DESK.replace("held", "new").replace('"" }\ndefault = ""', '"", "busy" = "" }')
    commands, bad = planned(
        tmp_path,
        desk(
            "O1,P1,2026-01-01,front,new,",
            "O1,P1,yesterday,back,new,",
            "O1,P1,,back,new,",
            ",P1,2026-01-03,back,new,",
            "O1,P1,2026-01-03,back,new",
            "O1,P1,2026-01-03,back,new,,",
            "O1,P1,2026-01-03,back,wat,",
            'O1,P1,2026-01-03,"back" x,new,',
            "O1,P1,2026-01-03,back\udcff,new,",
            "",
            'O1,P1,2026-01-04,front,new,"two\nlines"',
            "O1,P1,2026-01-05,front,wat,",
        ),
        mapping=mapping,
    )
    assert rpcs(commands) == ["DetectException", "EscalateException", "AssignException", "AddNote"]
    assert commands[-1].line == 12
    reasons = dict(sorted((row.line, row.reason) for row in bad))
    assert {row.file for row in bad} == {"0.csv"}
    for line, reason in {
        3: "column 'when': 'yesterday' is no time",
        4: "no time column is filled",
        5: "the row names no order",
        6: "5 values under 6 names",
        7: "7 values under 6 names",
        8: "column 'state': nothing is said about 'wat'",
        9: "expected after",
        10: "column 'group': not UTF-8",
        14: "column 'state': nothing is said about 'wat'",
    }.items():
        assert reason in reasons.pop(line)
    assert reasons == {}


def test_a_level_that_is_none_makes_the_row_bad_and_ticks_nothing(tmp_path: Path) -> None:
    mapping = DESK.replace('value = "3"', 'value = "4"')
    commands, bad = planned(
        tmp_path,
        desk("O1,P1,2026-01-01,back-chief,new,", "O1,P1,2026-01-02,back,new,"),
        mapping=mapping,
    )
    assert [(row.line, row.reason) for row in bad] == [(2, "level '4' is not one of 1, 2, 3")]
    assert rpcs(commands, line=3)[:2] == ["DetectException", "RecordVerification"]


def test_a_time_that_the_zone_skips_makes_the_row_bad(tmp_path: Path) -> None:
    time = '[[time]]\ncolumn = "t"\nzone = "Europe/Berlin"\n'
    _, bad = planned(tmp_path, "order,t\nO1,2026-03-29T02:30:00\n", mapping=STAMPS + time)
    assert "there is no such time in Europe/Berlin" in bad[0].reason


def test_files_that_cannot_be_used_are_named_and_the_others_read(tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_text(desk("O1,P1,2026-01-01,front,new,"), encoding="utf-8")
    (tmp_path / "short.csv").write_text("order,parcel\nO1,P1\n", encoding="utf-8")
    paths = [tmp_path / name for name in ("none.csv", "list.xlsx", "short.csv", "good.csv")]
    rows, bad = read(paths, parse(DESK))
    assert [(Path(row.file).name, row.line) for row in bad] == [
        ("none.csv", 0),
        ("list.xlsx", 0),
        ("short.csv", 1),
    ]
    assert "no column group, remark, state, when" in bad[2].reason
    assert len(rows) == 1


def test_json_lines_keep_numbers_as_written_and_name_bad_lines(tmp_path: Path) -> None:
    content = "\n".join(
        (
            '{"order": 10000000000000000001, "t": "2026-01-01", "n": 1.10}',
            "",
            "{",
            "[1]",
            '{"order": null, "t": "2026-01-01"}',
            '{"order": true, "t": "2026-01-02", "n": {"a": 1}}',
        )
    )
    mapping = (
        STAMPS + '[[time]]\ncolumn = "t"\n[[note]]\ntext = { column = "n", default = "none" }\n'
    )
    commands, bad = planned(tmp_path, content, mapping=mapping, suffix=".jsonl")
    orders = [c.request["subject"]["order_id"] for c in commands if "subject" in c.request]
    assert orders == ["10000000000000000001", "true"]
    assert requests(commands, "AddNote", "text") == ["1.10", '{"a": "1"}']
    assert [(row.line, row.reason.split(":")[0]) for row in bad] == [
        (3, "no JSON"),
        (4, "no JSON object"),
        (5, "the row names no order"),
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("name = ", "Invalid value"),
        (DESK.replace("[subject]", "[subjects]"), "unknown field `subjects`"),
        (DESK.replace('name = "desk"', ""), "missing required field `name`"),
        (DESK.replace("Asia/Shanghai", "Mars/Olympus"), "unknown time zone"),
        (DESK.replace("suffix", "ending"), "unknown field `ending`"),
        (STAMPS, "missing required field `time`"),
        (STAMPS + '[[time]]\ncolumn = "t"\n[owner]\n', "give an owner, a team or both"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(wrong: str, says: str) -> None:
    with pytest.raises(MappingError, match=re.escape(says)):
        parse(wrong)


def test_a_mapping_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"none\.toml"):
        load(tmp_path / "none.toml")


def test_every_key_of_the_language_is_documented() -> None:
    text = (ROOT / "docs" / "backfill.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", text))))
    structs = [s for s in vars(language).values() if isinstance(s, type)]
    for struct in structs:
        if issubclass(struct, language.Data):
            assert set(struct.__struct_fields__) <= documented, struct


def test_the_mappings_of_the_examples_are_listed_and_load() -> None:
    folder = ROOT / "examples" / "mappings"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    paths = sorted(folder.glob("*.toml"))
    assert paths
    for path in paths:
        assert isinstance(load(path), Mapping)
        assert f"`{path.name}`" in listed
