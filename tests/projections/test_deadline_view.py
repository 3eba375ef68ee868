"""The deadline view on both engines, and its tables of facts."""

from esm import codec
from projections.deadlines.projection import NEEDS_ROWS, STEPS
from tests.conformance.deadline_view import DeadlineViewConformance


class TestDeadlineView(DeadlineViewConformance):
    pass


def test_every_topic_with_a_step_is_known_and_all_but_two_say_whether_they_need_rows() -> None:
    assert set(STEPS) <= set(codec.TOPICS)
    assert set(STEPS) - set(NEEDS_ROWS) == {"exception.detected.v1", "watch.rule_muted.v1"}
    assert set(NEEDS_ROWS) <= set(STEPS)
