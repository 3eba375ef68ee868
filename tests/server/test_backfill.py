"""From made-up histories to planned commands: each row judged against the row before."""

import re
from pathlib import Path

from tests.server.histories import DESK, desk, planned, requests, rpcs

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


def test_an_owner_of_several_words_becomes_one_word(tmp_path: Path) -> None:
    commands, bad = planned(tmp_path, desk("O1,P1,2026-01-01,front  desk 2,new,"))
    assert bad == []
    assert requests(commands, "AssignException", "owner") == ["front_desk_2"]


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


def test_a_level_that_is_none_makes_the_row_bad_and_ticks_nothing(tmp_path: Path) -> None:
    mapping = DESK.replace('value = "3"', 'value = "4"')
    commands, bad = planned(
        tmp_path,
        desk("O1,P1,2026-01-01,back-chief,new,", "O1,P1,2026-01-02,back,new,"),
        mapping=mapping,
    )
    assert [(row.line, row.reason) for row in bad] == [(2, "level '4' is not one of 1, 2, 3")]
    assert rpcs(commands, line=3)[:2] == ["DetectException", "RecordVerification"]
