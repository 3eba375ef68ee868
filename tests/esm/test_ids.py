"""Ids are computed from facts: the same for ever, different for different facts."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from esm import ids

CASE = ids.exception_id("t1", "parcel␟O1␟S1␟", "delay_loss", 1)

part = st.text(st.characters(codec="utf-8", exclude_characters=ids.SEPARATOR), max_size=12)


def test_ids_of_stored_events_never_change() -> None:
    assert str(CASE) == "422f7579-0a42-5ea2-a173-8d0310d06b0b"
    assert str(ids.order_aggregate_id("t1", "O1")) == str(uuid5(ids.NAMESPACE, "t1␟order␟O1"))
    assert ids.event_id(CASE, 3) == str(uuid5(CASE, "3"))
    assert ids.action_id(CASE, 2) == "A2-422f75790a42"


@given(
    st.tuples(part, part, part, st.integers(1, 9)),
    st.tuples(part, part, part, st.integers(1, 9)),
)
def test_two_cases_share_an_id_only_when_every_part_is_the_same(
    one: tuple[str, str, str, int], other: tuple[str, str, str, int]
) -> None:
    assert (ids.exception_id(*one) == ids.exception_id(*other)) == (one == other)


def test_parts_do_not_run_into_each_other() -> None:
    assert ids.exception_id("a", "bc", "d", 1) != ids.exception_id("ab", "c", "d", 1)


def test_kinds_of_aggregates_never_share_an_id() -> None:
    made = {
        ids.exception_id("t", "x", "", 1),
        ids.order_aggregate_id("t", "x"),
        ids.catalogue_aggregate_id("t", "x"),
    }
    assert len(made) == 3


def test_the_id_of_a_tenants_case_is_not_that_of_another_tenant() -> None:
    assert ids.exception_id("t2", "parcel␟O1␟S1␟", "delay_loss", 1) != CASE


@given(st.uuids(), st.lists(st.integers(1, 10_000), unique=True, max_size=20))
def test_events_of_a_case_have_different_ids(case: UUID, versions: list[int]) -> None:
    assert len({ids.event_id(case, v) for v in versions}) == len(versions)
