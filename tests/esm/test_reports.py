"""A customer's report by template (A13): which fields it needs, and that its answers are sealed."""

import json
from typing import Any

import pytest

from esm import commands as c
from esm.errors import InvalidCommand
from esm.exception.reports import PHOTOS_MAX, opened_answers
from tests.esm import given as g
from tests.esm.story import CATALOGUE, Story


def report(template: str = "damaged", **answers: Any) -> c.Report:
    """A report; an answer is a text, or a tuple of them."""
    given = {
        name: value if isinstance(value, tuple) else (value,) for name, value in answers.items()
    }
    return c.Report(
        template=template,
        fields=tuple(c.ReportField(name=name, values=values) for name, values in given.items()),
    )


def told(made: c.Report, code: str = "", kind: str = "customer", **changes: Any) -> c.Detect:
    return g.detection(code, signal=c.Signal(kind=kind), report=made, **changes)


def refused(command: c.Detect) -> list[str]:
    with pytest.raises(InvalidCommand) as found:
        Story().do(command)
    return [v.field for v in found.value.violations]


GOOD = report(photos=("IMG1", "IMG2"), what="Die Ecke ist ab", packaging="crushed", quantity="2")


def test_a_report_opens_the_first_code_of_its_template_and_keeps_its_answers_sealed() -> None:
    story = Story()
    story.do(told(GOOD))
    source = story.case().sources[0]
    assert (story.case().code, source.kind, source.report) == ("DAMAGED", "customer", "damaged")
    assert source.fields is not None
    assert source.fields.subject == "order/O1"
    assert json.loads(source.fields.box) == {
        "packaging": ["crushed"],
        "photos": ["IMG1", "IMG2"],
        "quantity": ["2"],
        "what": ["Die Ecke ist ab"],
    }


def test_a_report_may_name_another_code_of_its_template_and_joins_like_any_signal() -> None:
    story = Story()
    story.do(told(GOOD, "SOILED", kind="person"))
    case = story.case().id
    story.do(told(GOOD, "DAMAGED"))
    assert (story.case().id, story.case().code, len(story.case().sources)) == (case, "DAMAGED", 2)


def test_a_missing_field_and_an_unknown_one_are_refused_by_their_names() -> None:
    made = report(what="x", wrapping="y")
    assert refused(told(made)) == ["report.fields[wrapping]", "report.fields[photos]"]
    assert refused(told(report(photos=(), what=" "))) == [
        "report.fields[photos]",
        "report.fields[what]",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("packaging", "burnt"),
        ("quantity", "two"),
        ("quantity", "NaN"),
        ("opened_at", "yesterday"),
        ("opened_at", "2026-03-01T09:00:00"),
        ("photos", "my photo"),
        ("photos", ("IMG",) * (PHOTOS_MAX + 1)),
        ("what", ("a", "b")),
        ("what", "x" * 4_001),
    ],
)
def test_an_answer_is_of_its_kind(name: str, value: Any) -> None:
    answers: dict[str, Any] = {"photos": "IMG1", "what": "x", name: value}
    assert refused(told(report(**answers))) == [f"report.fields[{name}]"]


def test_a_field_is_answered_once() -> None:
    twice = c.ReportField(name="what", values=("x",))
    made = c.Report(template="damaged", fields=(*GOOD.fields, twice))
    assert refused(told(made)) == ["report.fields[what]"]


def test_a_report_is_a_customers_by_a_known_template_about_one_of_its_codes() -> None:
    assert refused(told(report("no_such"))) == ["report.template"]
    assert refused(told(GOOD, "LOST")) == ["code"]
    platform = c.Signal(kind="platform", feed="p", source_id="1")
    assert refused(g.detection("", signal=platform, report=GOOD)) == ["report"]
    raw = c.Signal(kind="customer", feed="track17", raw_code="Delivered")
    assert "signal.raw_code" in refused(g.detection("", signal=raw, report=GOOD))


def answered(name: str) -> dict[str, Any]:
    """Good answers to the required fields of a template."""
    values = {"text": "x", "photo": "IMG1", "time": "2026-03-01T09:00:00Z", "number": "1"}
    return {
        field: values.get(rule.kind) or next(iter(rule.choices))
        for field, rule in CATALOGUE.reports[name].fields.items()
        if rule.required
    }


@pytest.mark.parametrize("name", sorted(CATALOGUE.reports))
def test_every_template_opens_each_of_its_codes_with_only_what_it_requires(name: str) -> None:
    for code in CATALOGUE.reports[name].codes:
        story = Story()
        story.do(told(report(name, **answered(name)), code))
        assert story.case().code == code
    if answered(name):
        assert refused(told(report(name))) == [f"report.fields[{f}]" for f in answered(name)]


def test_what_cannot_be_read_any_more_is_shown_as_one_answer() -> None:
    assert opened_answers("[erased]") == {"": ["[erased]"]}
    assert opened_answers('{"what":["x"]}') == {"what": ["x"]}
