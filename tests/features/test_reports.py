"""What customers report by template (row A13), and how a rule is muted for a while."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from shipment_exception.v1 import exception_pb2
from shipment_exception.v1 import exception_watch_pb2 as watch_pb

from esm.catalog.reports import ReportTemplate
from tests.features.refusals import refused
from tests.scenarios.driver import CATALOGUE, World, moment

CUSTOMER = exception_pb2.Signal(kind="customer")


def report(template: str = "damaged", **answers: list[str]) -> exception_pb2.Report:
    """A report with these answers."""
    fields = [exception_pb2.ReportField(name=k, values=v) for k, v in answers.items()]
    return exception_pb2.Report(template=template, fields=fields)


def test_a_customers_report_by_template_opens_a_case_and_shows_its_answers(world: World) -> None:
    """A13."""
    said = report(photos=["IMG1", "IMG2"], what=["the corner is off"], packaging=["crushed"])
    case = world.detect("", signal=CUSTOMER, report=said)
    found = world.case(case)
    assert (found.code, len(found.sources)) == ("DAMAGED", 1)
    source = found.sources[0]
    assert (source.kind, source.report) == ("customer", "damaged")
    assert {f.name: list(f.values) for f in source.report_fields} == {
        "photos": ["IMG1", "IMG2"],
        "what": ["the corner is off"],
        "packaging": ["crushed"],
    }
    again = world.detect("SOILED", signal=CUSTOMER, report=said)
    assert (again, len(world.case(case).sources)) == (case, 2)
    payload = json.loads(world.events(case)[0].payload)
    assert set(payload["source"]["fields"]) == {"subject", "key_id", "box"}


def test_a_report_without_a_required_field_is_refused_naming_it(world: World) -> None:
    """A13."""
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "report.fields[photos]") as refusal:
        world.detect("", signal=CUSTOMER, report=report(what=["x"], colour=["red"]))
    assert refusal.fields["report.fields[photos]"] == "is required"
    assert refusal.fields["report.fields[colour]"].startswith("is not one of: photos, what")
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "report.template"):
        world.detect("", signal=CUSTOMER, report=report("no_such"))


ANSWERS = {"text": "it is so", "photo": "IMG1", "time": "2026-03-02T08:00:00Z", "number": "1"}
"""An answer to a field of each kind; a choice has its own."""


def answered(template: ReportTemplate, but: str = "") -> exception_pb2.Report:
    """A report with every required field answered but one."""
    answers = {
        name: [next(iter(rule.choices), "") or ANSWERS[rule.kind]]
        for name, rule in template.fields.items()
        if rule.required and name != but
    }
    return report(template.report, **answers)


@pytest.mark.parametrize("name", CATALOGUE.reports)
def test_every_template_opens_its_code_once_its_required_fields_are_answered(
    world: World, name: str
) -> None:
    """A13."""
    template = CATALOGUE.reports[name]
    required = [field for field, rule in template.fields.items() if rule.required]
    for field in required:
        where = f"report.fields[{field}]"
        with refused("INVALID_ARGUMENT", "INVALID_COMMAND", where) as refusal:
            world.detect("", signal=CUSTOMER, report=answered(template, but=field))
        assert refusal.fields == {where: "is required"}
    case = world.detect("", signal=CUSTOMER, report=answered(template))
    found = world.case(case)
    assert (found.code, found.sources[0].report) == (template.codes[0], name)


def mute(days: float = 1, **fields: str) -> watch_pb.MuteRuleRequest:
    """A request to mute the stall of a parcel."""
    until = moment((datetime.now(UTC) + timedelta(days=days)).isoformat())
    request = watch_pb.MuteRuleRequest(rule="TRACKING_STALLED", until=until)
    given = {"order_id": "O1", "shipment_code": "S1", "reason": "the hub is closed"}
    for name, value in (given | fields).items():
        setattr(request, name, value)
    return request


def test_a_rule_is_muted_only_with_a_reason_and_an_end(world: World) -> None:
    rpc = world.client.exceptions.MuteRule
    first = world.send(rpc, mute())
    assert [m.rule for m in first.watch.mutes] == ["TRACKING_STALLED"]
    request = mute()
    request.validate_only = True
    shown = world.send(rpc, request)
    assert [event.topic for event in shown.preview.events] == ["watch.rule_muted.v1"]
    assert shown.watch.mutes[0].until == request.until
    request = mute(2)
    answer = world.send(rpc, request)
    assert (answer.watch.subject.order_id, answer.watch.subject.shipment_code) == ("O1", "S1")
    assert [m.until for m in answer.watch.mutes] == [request.until]
    for field, wrong in (
        ("reason", mute(reason="")),
        ("until", mute(91)),
        ("until", mute(-1)),
        ("order_id", mute(order_id="")),
    ):
        with refused("INVALID_ARGUMENT", "INVALID_COMMAND", field):
            world.send(rpc, wrong)
    with refused("INVALID_ARGUMENT", "INVALID_COMMAND", "rule"):
        world.send(rpc, mute(rule="NO_SUCH"))
