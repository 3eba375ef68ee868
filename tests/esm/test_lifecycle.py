"""The rule-book: the compiled tables say what the machines say, and every state has a use."""

import inspect
import re
from pathlib import Path

import pytest
from shipment_exception.v1 import exception_service_pb2, order_service_pb2
from transitions import Machine, MachineError

from esm import lifecycle as life
from esm.errors import IllegalActionMove, IllegalMove

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lifecycle.md"

BOOKS = [
    pytest.param(life.STATES, life.CASE_RULES, life.CASE_TABLE, id="case"),
    pytest.param(life.ACTION_STATUSES, life.ACTION_RULES, life.ACTION_TABLE, id="action"),
]


class Model:
    """Something that a machine moves."""

    state: str


def moved(machine: Machine, state: str, move: str) -> str | None:
    """Where the machine itself goes, None when it refuses."""
    model = Model()
    machine.add_model(model, initial=state)
    try:
        model.trigger(move)  # type: ignore[attr-defined] # the machine adds it
    except MachineError:
        return None
    finally:
        machine.remove_model(model)
    return model.state


@pytest.mark.parametrize(("states", "rules", "table"), BOOKS)
def test_the_table_says_of_every_state_and_move_what_the_machine_does(
    states: tuple[str, ...], rules: tuple[life.Rule, ...], table: life.Table
) -> None:
    machine = Machine(
        model=None,
        states=list(states),
        transitions=list(rules),
        initial=states[0],
        auto_transitions=False,
    )
    moves = {rule["trigger"] for rule in rules}
    said = {(s, m): table[s].get(m) for s in states for m in moves}
    assert said == {(s, m): moved(machine, s, m) for s in states for m in moves}


@pytest.mark.parametrize(("states", "rules", "table"), BOOKS)
def test_every_state_is_reached_from_the_first(
    states: tuple[str, ...], rules: tuple[life.Rule, ...], table: life.Table
) -> None:
    reached = {states[0]}
    while more := {to for s in reached for to in table[s].values()} - reached:
        reached |= more
    assert reached == set(states)


@pytest.mark.parametrize(("states", "rules", "table"), BOOKS)
def test_rules_are_data_without_callbacks_and_name_only_known_states(
    states: tuple[str, ...], rules: tuple[life.Rule, ...], table: life.Table
) -> None:
    assert {key for rule in rules for key in rule} == {"trigger", "source", "dest"}
    named = {s for rule in rules for s in [*rule["source"], rule["dest"]] if s is not None}
    assert named <= set(states)


def test_a_rule_with_a_callback_cannot_be_compiled() -> None:
    machine = Machine(model=None, states=["a"], initial="a", auto_transitions=False)
    machine.add_transition("go", "a", None, before=lambda: None)
    with pytest.raises(ValueError, match="go from a has a callback or a guard"):
        life.compile_table(machine)


@pytest.mark.parametrize(("states", "rules", "table"), BOOKS)
def test_no_state_and_move_has_two_rules(
    states: tuple[str, ...], rules: tuple[life.Rule, ...], table: life.Table
) -> None:
    pairs = [(source, rule["trigger"]) for rule in rules for source in rule["source"]]
    assert len(pairs) == len(set(pairs))


def test_every_move_names_rpcs_that_exist() -> None:
    moves = {rule["trigger"] for rule in life.CASE_RULES}
    assert moves == set(life.RPC_OF_MOVE)
    services = (
        exception_service_pb2.DESCRIPTOR.services_by_name["ExceptionService"],
        order_service_pb2.DESCRIPTOR.services_by_name["OrderService"],
    )
    methods = {method.name for service in services for method in service.methods}
    named = {word for text in life.RPC_OF_MOVE.values() for word in re.findall(r"\b[A-Z]\w+", text)}
    assert named <= methods


def test_a_refused_move_names_the_rpc_the_state_and_what_is_allowed() -> None:
    with pytest.raises(IllegalMove) as refused:
        life.next_state(life.MERGED, "reopen")
    assert refused.value.metadata == {
        "move": "ReopenException",
        "state": "merged",
        "allowed": "AddNote",
    }


def test_a_refused_step_of_an_action_names_the_steps_that_are_allowed() -> None:
    with pytest.raises(IllegalActionMove) as refused:
        life.next_status("A1-x", life.PROPOSED, "submit")
    assert refused.value.metadata["allowed"] == "approve,cancel"


def test_may_agrees_with_next_state() -> None:
    for state in life.STATES:
        for move in life.RPC_OF_MOVE:
            assert life.may(state, move) == (move in life.CASE_TABLE[state])


@pytest.mark.parametrize(
    ("title", "diagram"),
    [
        ("Case", life.diagram()),
        ("Action", life.diagram(life.ACTION_RULES, life.ACTION_STATUSES)),
    ],
)
def test_the_page_shows_the_diagram_of_the_rules(title: str, diagram: str) -> None:
    text = PAGE.read_text("utf-8")
    section = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    shown = re.findall(r"```mermaid\n(.*?)```", section, flags=re.DOTALL)
    assert [block.strip() for block in shown] == [diagram.strip()]


def test_the_page_explains_every_state_move_and_status() -> None:
    text = PAGE.read_text("utf-8")
    steps = {rule["trigger"] for rule in life.ACTION_RULES}
    words = {*life.STATES, *life.ACTION_STATUSES, *life.RPC_OF_MOVE, *steps}
    assert {word for word in words if f"| `{word}` |" not in text} == set()


def test_next_state_is_a_look_up_and_builds_no_machine() -> None:
    assert "Machine" not in inspect.getsource(life.next_state)
