"""What a catalogue holds, as frozen structs; nothing here reads a file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeVar

import msgspec

from esm.catalog.data import Data, Status, Title
from esm.catalog.reports import ReportTemplate
from esm.catalog.rules import Clearing, Guard, Rule, Service, Words

OTHER = "OTHER"
"""The code of a signal whose raw code no source defines."""

CARRIER_REPORTED = "CARRIER_REPORTED"
"""The code under which the carrier desk reviews a raw code that is not clear by itself."""

ANY = "*"
"""In a raw code of two parts, "status/reason": any status, or any reason."""

DELIVERED_AFTER_REMEDY = "DELIVERED_AFTER_REMEDY"
"""The code of a parcel that moves after a refund, a reshipment or a claim."""

LAST_EVENT_AND_PATH = "last_event_and_path"
"""The checklist item that also gates raising the level by hand and asking the carrier."""

Phase = Literal["pre_ship", "post_ship", "commercial"]
Clock = Literal["", "delivery", "pickup_point"]
Side = Literal["debit", "credit"]
Party = Literal["", "customer", "carrier", "provider", "platform", "warehouse"]
AccountKind = Literal[
    "asset", "liability", "contra_revenue", "expense", "contra_expense", "income", "memo"
]
RemedyMoney = Literal[
    "none",
    "refund",
    "concession",
    "shipping",
    "compensation",
    "coupon",
    "reshipment",
    "claim",
    "restore",
]
Step = Literal[
    "approved",
    "submitted",
    "succeeded",
    "failed_after_succeeded",
    "cancelled",
    "dispatched",
    "claim_approved",
    "claim_paid",
    "claim_denied",
    "coupon_used",
    "coupon_revoked",
    "coupon_expired",
    "written_off",
]
Basis = Literal["recognised", "advance", "late_performance", "beyond_contract", "R1", "R2", "P1"]

Exponent = Annotated[int, msgspec.Meta(ge=0, le=4)]
"""Digits after the point of a currency's minor unit."""

_Found = TypeVar("_Found")


class CatalogueError(ValueError):
    """A catalogue that cannot be used; ``problems`` lists everything wrong, in words."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class NotInCatalogue(LookupError):
    """A name that its catalogue table does not hold."""

    def __init__(self, table: str, name: str) -> None:
        super().__init__(f"{name!r} is not in the catalogue's {table}")
        self.table = table
        self.name = name


class ExceptionType(Data):
    """A code: what it is, who owns it first, what must be known before a promise.

    ``rank`` is the precedence inside the family, higher is stronger; ``checklist`` names the
    items that gate C asks for. ``expected_by`` names the remedies that make it a stage of theirs:
    while one is under way, detection opens no such case.
    """

    code: str
    title: Title
    family: str
    phase: Phase
    category: str
    priority: Literal["P0", "P1", "P2", "P3"]
    level: Literal[1, 2, 3]
    rank: int
    team: str
    checklist: tuple[str, ...]
    expected_by: tuple[str, ...] = ()


class Resolution(Data):
    """How a case ends, and which state that end leads to."""

    title: Title
    closes: Literal["remediated", "withdrawn"]


class RawCode(Data, omit_defaults=True):
    """What a raw code of a feed says, in our words, and what follows from it: one outcome.

    It ``opens`` a case of our code; or it is not clear, then the carrier desk reviews it as
    CARRIER_REPORTED with the ``candidate`` in mind; or it opens nothing by itself. Of the last
    kind are those that open a case with time (``timer``) or with a customer's ``report``.
    ``by_text`` are other codes that the text may choose instead, ``clears`` the families or codes
    whose cases this ends, ``clock`` the wait that starts: to be delivered, or to be collected.
    """

    title: Title
    status: Status
    opens: str = ""
    candidate: str = ""
    timer: bool = False
    report: bool = False
    by_text: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    clock: Clock = ""

    @property
    def case_code(self) -> str:
        """The code of the case that it opens by itself, "" for none."""
        return CARRIER_REPORTED if self.candidate else self.opens


class Source(Data):
    """A feed: the raw codes that it is known to send, and the zone of its times without one.

    ``zone`` is an IANA name. A raw code of two parts may be defined for any status or any reason.
    """

    feed: str
    title: Title
    zone: str
    codes: dict[str, RawCode]

    def meaning(self, raw_code: str) -> RawCode | None:
        """What a raw code says: its own entry, else that of its status or of its reason.

        The status ("status/*") decides when it opens a case itself or says delivered: its reason
        is only why. Else the reason ("*/reason") decides, unless it is a remark that opens no
        case. An entry of the status alone ("status") comes last: it yields to any reason.
        """
        found = self.codes.get(raw_code)
        if found is not None:
            return found
        status, _, reason = raw_code.partition("/")
        by_status = self.codes.get(f"{status}/{ANY}")
        by_reason = self.codes.get(f"{ANY}/{reason}")
        if by_status is None:
            return by_reason or self.codes.get(status)
        if by_reason is None or by_status.case_code or by_status.status == "delivered":
            return by_status
        remark = by_reason.status == "information" and not by_reason.case_code
        return by_status if remark else by_reason


class Account(Data):
    """An account of the chart; ``control`` ones are zero or carried at gate A."""

    title: Title
    kind: AccountKind
    control: bool = False


class LegRule(Data):
    """One leg of a posting row.

    ``account`` is a number of the chart or ``$`` and the name of a choice, ``amount`` the name
    of an amount of the fact. ``signed``: a negative amount stands on the other side. ``item``
    says where the balance stands: with the part, with the case that posts (``own``) when the
    part belongs to another one, or with the billing line (``logistics``).
    """

    account: str
    side: Side
    amount: str
    party: Party = ""
    signed: bool = False
    item: Literal["", "own", "logistics"] = ""


class PostingRow(Data):
    """The legs that an outcome makes, or ``mirror``: those of an earlier entry, sides exchanged."""

    title: Title
    legs: tuple[LegRule, ...] = ()
    mirror: bool = False


class Postings(Data):
    """All posting rows by name, and the accounts that each choice allows."""

    choices: dict[str, tuple[str, ...]]
    rows: dict[str, PostingRow]


class ChargeKind(Data):
    """What a carrier charges for, and the cost account it goes to."""

    title: Title
    account: str


class Remedy(Data):
    """An action: whose side it is on, what it promises, and which row each step of it makes.

    ``promise`` puts it behind gate C; ``asks_carrier`` means it asks the carrier for something
    operational. ``rows`` names a posting row per step, or one per basis of the step.
    """

    kind: str
    title: Title
    side: Literal["customer", "recovery"]
    promise: bool
    money: RemedyMoney
    asks_carrier: bool
    rows: dict[Step, str | dict[Basis, str]] = msgspec.field(default_factory=dict)

    def row_names(self) -> tuple[str, ...]:
        """Every posting row that some step of this remedy makes."""
        names: list[str] = []
        for row in self.rows.values():
            names.extend([row] if isinstance(row, str) else row.values())
        return tuple(names)


class LegalEntity(Data):
    """A ledger; ``time_zone`` (IANA name) decides the effective date of a moment."""

    title: Title
    time_zone: str


class ExpectedUse(Data):
    """The share of a face value that we expect to be used, from a date (YYYY-MM-DD) on."""

    kind: str
    since: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] = msgspec.field(name="from")
    percent: Annotated[int, msgspec.Meta(ge=0, le=100)]


class Compensation(Data):
    """Dated figures behind compensation."""

    coupon_expected_use: tuple[ExpectedUse, ...]


class DeskClass(Data):
    """A class of the desk: the codes it names, and those of its categories that no class names."""

    title: Title
    categories: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


class PlatformType(Data):
    """A type that platforms know: some codes, or all others whose first source is of a kind."""

    title: Title
    codes: tuple[str, ...] = ()
    first_source: Literal["", "person", "carrier", "customer", "platform", "alert"] = ""


class Views(Data):
    """How the desk sorts cases; membership is looked up when it is asked for."""

    classes: dict[str, DeskClass]
    platform_types: dict[str, PlatformType]


class Tables(Data, kw_only=True):
    """Everything the files say, one field per file or folder; this is what a digest covers."""

    types: dict[str, ExceptionType]
    checklist: dict[str, Title]
    teams: dict[str, Title]
    resolutions: dict[str, Resolution]
    sources: dict[str, Source]
    accounts: dict[str, Account]
    postings: Postings
    charges: dict[str, ChargeKind]
    remedies: dict[str, Remedy]
    ledgers: dict[str, LegalEntity]
    currencies: dict[str, Exponent]
    compensation: Compensation
    views: Views = Views(classes={}, platform_types={})
    rules: dict[str, Rule] = msgspec.field(default_factory=dict)
    services: dict[str, Service] = msgspec.field(default_factory=dict)
    clearings: dict[Status, Clearing] = msgspec.field(default_factory=dict)
    words: dict[str, Words] = msgspec.field(default_factory=dict)
    status_words: dict[Status, Words] = msgspec.field(default_factory=dict)
    guards: dict[Guard, Words] = msgspec.field(default_factory=dict)
    reports: dict[str, ReportTemplate] = msgspec.field(default_factory=dict)


class Catalogue(Tables):
    """The tables with the bytes and digests that a published catalogue is known by.

    ``content`` is canonical JSON of the tables (sorted keys, no spaces, UTF-8), ``digest`` its
    SHA-256 in hex, ``postings_digest`` that of the chart and the posting rules alone.
    """

    content: bytes
    digest: str
    postings_digest: str

    def __repr__(self) -> str:
        return f"Catalogue(digest={self.digest!r})"

    @property
    def rows(self) -> dict[str, PostingRow]:
        """The posting rows by name."""
        return self.postings.rows

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The accounts that each choice of a posting row allows."""
        return self.postings.choices

    def type_of(self, code: str) -> ExceptionType:
        """The type of a code. Raises NotInCatalogue."""
        return _find(self.types, "types", code)

    def meaning(self, feed: str, raw_code: str) -> RawCode | None:
        """What a feed's raw code says; None when the feed or the code is unknown."""
        source = self.sources.get(feed)
        return None if source is None else source.meaning(raw_code)

    def code_for(self, feed: str, raw_code: str) -> str:
        """The code of the case that a feed's raw code opens by itself, "" for none.

        OTHER when the feed or the code is unknown.
        """
        found = self.meaning(feed, raw_code)
        return OTHER if found is None else found.case_code

    def remedy(self, kind: str) -> Remedy:
        """The remedy of a kind. Raises NotInCatalogue."""
        return _find(self.remedies, "remedies", kind)

    def account(self, number: str) -> Account:
        """The account of a number. Raises NotInCatalogue."""
        return _find(self.accounts, "accounts", number)

    def row(self, name: str) -> PostingRow:
        """The posting row of a name. Raises NotInCatalogue."""
        return _find(self.rows, "postings", name)

    def charge(self, kind: str) -> ChargeKind:
        """The charge kind of a name. Raises NotInCatalogue."""
        return _find(self.charges, "charges", kind)

    def resolution(self, code: str) -> Resolution:
        """The resolution of a code. Raises NotInCatalogue."""
        return _find(self.resolutions, "resolutions", code)

    def exponent(self, currency: str) -> int:
        """Digits after the point of a currency's minor unit. Raises NotInCatalogue."""
        return _find(self.currencies, "currencies", currency)

    def expected_use(self, kind: str, date: str) -> int:
        """Percent of a coupon kind's face expected to be used, on a date (YYYY-MM-DD).

        The entry with the latest ``from`` not after the date counts. Raises NotInCatalogue.
        """
        valid = [
            use
            for use in self.compensation.coupon_expected_use
            if use.kind == kind and use.since <= date
        ]
        if not valid:
            raise NotInCatalogue("compensation", f"{kind} on {date}")
        return max(valid, key=lambda use: use.since).percent


def _find(table: Mapping[str, _Found], table_name: str, name: str) -> _Found:
    found = table.get(name)
    if found is None:
        raise NotInCatalogue(table_name, name)
    return found
