"""How histories are read: order, keys, times, bad rows, and mappings that make no sense."""

import re
from pathlib import Path

import pytest

from server.backfill import MappingError, gather, load, parse, read
from server.backfill import mapping as language
from tests.server.histories import DESK, desk, planned, requests, rpcs

ROOT = Path(__file__).resolve().parents[2]


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


def test_a_time_that_the_zone_skips_makes_the_row_bad(tmp_path: Path) -> None:
    time = '[[time]]\ncolumn = "t"\nzone = "Europe/Berlin"\n'
    _, bad = planned(tmp_path, "order,t\nO1,2026-03-29T02:30:00\n", mapping=STAMPS + time)
    assert "there is no such time in Europe/Berlin" in bad[0].reason


def test_files_that_cannot_be_used_are_named_and_the_others_read(tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_text(desk("O1,P1,2026-01-01,front,new,"), encoding="utf-8")
    (tmp_path / "short.csv").write_text("order,parcel\nO1,P1\n", encoding="utf-8")
    paths = [tmp_path / name for name in ("none.csv", "list.xlsx", "short.csv", "good.csv")]
    rows, bad = read(paths, *parse(DESK))
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
            '{"order": true, "t": "2026-01-02", "other": {"a": [1e400, NaN]}}',
        )
    )
    mapping = (
        STAMPS + '[[time]]\ncolumn = "t"\n[[note]]\ntext = { column = "n", default = "none" }\n'
    )
    commands, bad = planned(tmp_path, content, mapping=mapping, suffix=".jsonl")
    orders = [c.request["subject"]["order_id"] for c in commands if "subject" in c.request]
    assert orders == ["10000000000000000001", "true"]
    assert requests(commands, "AddNote", "text") == ["1.10", "none"]
    assert [(row.line, row.reason.split(":")[0]) for row in bad] == [
        (3, "no JSON"),
        (4, "no JSON object"),
        (5, "the row names no order"),
    ]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('{"a": 1}', "an object"),
        ('["x"]', "a list"),
        ("NaN", "no finite number"),
        ("-Infinity", "no finite number"),
        ("1e400", "no finite number"),
    ],
)
def test_what_is_no_value_of_a_column_makes_the_json_row_bad(
    tmp_path: Path, value: str, says: str
) -> None:
    content = f'{{"order": {value}, "t": "2026-01-01"}}\n{{"order": 1e3, "t": "2026-01-02"}}'
    time = '[[time]]\ncolumn = "t"\n'
    commands, bad = planned(tmp_path, content, mapping=STAMPS + time, suffix=".jsonl")
    (row,) = bad
    assert row.line == 1
    assert row.reason.startswith("column 'order': ")
    assert says in row.reason
    assert [c.case for c in commands] == ["1e3"]


@pytest.mark.parametrize(
    ("suffix", "content"),
    [(".csv", ""), (".csv", "order,parcel,when,group,state,remark\n"), (".jsonl", "\n\n")],
)
def test_a_file_without_rows_is_named(tmp_path: Path, suffix: str, content: str) -> None:
    file = tmp_path / f"empty{suffix}"
    file.write_text(content, encoding="utf-8")
    twice = DESK.replace('"desk"', '"desk2"', 1)
    history = gather([file], [*parse(DESK), *parse(twice)])
    assert [(row.file, row.line, row.reason) for row in history.bad] == [
        (str(file), 0, "has no rows")
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
        assert load(path)
        assert f"`{path.name}`" in listed
