"""The arithmetic of the figures: medians, spreads, void runs, and what a result holds."""

import json

import pytest
from shipment_exception.v1.exception_actions_pb2 import ProposeActionResponse

from benchmarks import mix
from benchmarks.frame import (
    REQUIRED,
    Pair,
    Run,
    Value,
    behind_seconds,
    completed,
    interleave,
    last_line,
    percentile,
    put_ratio,
    rates,
    ratio,
    void_reason,
)


def run(per_second: float, *, errors: int = 0, behind: float = 0.0, stopped: str = "") -> Run:
    return Run(per_second, 100, errors=errors, behind_seconds=behind, stopped=stopped)


def pairs(*rates_of: tuple[float, float]) -> list[Pair]:
    return [Pair(run(yardstick), run(ours)) for yardstick, ours in rates_of]


def test_a_ratio_is_the_median_of_the_quotients_and_its_spread_their_range() -> None:
    found = ratio(pairs((100, 50), (200, 60), (100, 90)))
    assert (found.value, found.low, found.high, found.valid) == (0.5, 0.3, 0.9, 3)


def test_fewer_than_three_valid_pairs_give_no_ratio() -> None:
    found = ratio([*pairs((100, 50), (100, 50)), Pair(run(100), run(90, errors=1))])
    assert (found.value, found.low, found.high, found.valid) == (None, None, None, 2)
    assert found.void == ("1 calls failed",)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (run(100, behind=2.1), "a projection was 2.1 s behind at the end"),
        (run(100, errors=3), "3 calls failed"),
        (run(100, stopped="ledger: bad"), "projection stopped: ledger: bad"),
        (Run(0.0, 0), "nothing was done"),
    ],
)
def test_a_run_is_void_for_a_reason(bad: Run, reason: str) -> None:
    assert void_reason(bad) == reason


def test_a_run_with_a_projection_just_two_seconds_behind_counts() -> None:
    assert void_reason(run(100, behind=2.0)) == ""


def test_void_pairs_count_neither_for_the_ratio_nor_for_the_rate() -> None:
    made = [*pairs((100, 50), (100, 60), (100, 70)), Pair(run(100), run(999, behind=3))]
    assert ratio(made).value == 0.6
    assert rates([pair.ours for pair in made]) == 60
    assert rates([run(1, errors=1)]) is None


def test_a_void_yardstick_makes_the_pair_void() -> None:
    made = [*pairs((100, 50), (100, 60), (100, 70)), Pair(run(1, errors=1), run(100))]
    assert (ratio(made).value, ratio(made).valid) == (0.6, 3)


@pytest.mark.parametrize(
    ("lag", "per_second", "seconds"),
    [(0, 1000.0, 0.0), (-1, 1000.0, 0.0), (500, 1000.0, 0.5), (5000, 1000.0, 5.0)],
)
def test_the_lag_in_seconds_follows_from_the_rate(
    lag: int, per_second: float, seconds: float
) -> None:
    assert behind_seconds(lag, per_second) == seconds


def test_a_lag_without_any_command_is_always_too_far_behind() -> None:
    assert void_reason(run(1, behind=behind_seconds(1, 0.0)))


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1), (0.001, 1), (0.985, 99)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert percentile(range(100, 0, -1), share) == value


def test_the_percentile_of_nothing_is_zero() -> None:
    assert percentile([], 0.5) == 0.0


def test_runs_alternate_and_begin_with_the_yardstick() -> None:
    order: list[str] = []

    def one(name: str) -> Run:
        order.append(name)
        return run(1)

    made = interleave(lambda: one("echo"), lambda: one("ours"), pairs=3, attempts=9)
    assert order == ["echo", "ours"] * 3
    assert len(made) == 3


def test_a_void_pair_is_repeated_until_the_attempts_run_out() -> None:
    found = iter([run(1, errors=1), run(1), run(1), run(1)])
    made = interleave(lambda: run(1), lambda: next(found), pairs=3, attempts=9)
    assert len(made) == 4
    assert len(interleave(lambda: run(1), lambda: run(1, errors=1), pairs=3, attempts=5)) == 5


def test_a_result_has_every_required_key_and_the_spread_of_each_ratio() -> None:
    figures: dict[str, Value] = {}
    put_ratio(figures, "unary_sqlite_vs_echo", ratio(pairs((100, 50), (100, 60), (100, 70))))
    found = completed(figures)
    spreads = {f"{name}_spread" for name, unit in REQUIRED.items() if unit == "ratio"}
    assert set(REQUIRED) | spreads == set(found)
    assert found["unary_sqlite_vs_echo"] == 0.6
    assert found["unary_sqlite_vs_echo_spread"] == [0.5, 0.7]
    assert found["rss_mb_100k_open"] is None


def test_a_ratio_that_was_void_says_why() -> None:
    figures: dict[str, Value] = {}
    put_ratio(figures, "unary_sqlite_vs_echo", ratio([Pair(run(1), run(1, errors=2))] * 3))
    assert figures["unary_sqlite_vs_echo"] is None
    assert figures["unary_sqlite_vs_echo_spread"] is None
    assert figures["unary_sqlite_vs_echo_void"] == "; ".join(["2 calls failed"] * 3)


def test_the_last_line_is_one_json_object() -> None:
    line = last_line(completed({"ryw_p99_ms": 3.5}))
    assert "\n" not in line
    assert json.loads(line)["ryw_p99_ms"] == 3.5


def test_of_ten_commands_four_escalate_three_note_two_assign_and_one_moves_money() -> None:
    kinds = (mix.ESCALATE, mix.NOTE, mix.ASSIGN, mix.MONEY)
    assert [mix.PATTERN.count(kind) for kind in kinds] == [4, 3, 2, 1]


def test_callers_share_no_case_and_raise_and_lower_levels_in_turn() -> None:
    target = mix.invented(1)[0]
    caller = mix.Caller(0, [target])
    levels = [
        request.level
        for method, _, request in (caller.next() for _ in range(40))
        if method == "EscalateException"
    ]
    assert levels == [2, 1] * 8


def test_an_action_that_was_proposed_is_approved_next() -> None:
    caller = mix.Caller(0, mix.invented(3))
    methods = []
    for _ in range(40):
        method, target, request = caller.next()
        if method in {"ProposeAction", "ApproveAction"}:
            methods.append((method, request.exception_id))
            answer = ProposeActionResponse()
            answer.exception.actions.add(action_id="A1")
            caller.done(method, target, answer)
    assert [name for name, _ in methods] == ["ProposeAction", "ApproveAction"] * 2
    assert [methods[0][1], methods[2][1]] == [methods[1][1], methods[3][1]]
