"""What a catalogue holds, as frozen structs; nothing here reads a file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeVar, dataclass_transform

import msgspec

OTHER = "OTHER"
"""The code of a signal whose raw code no source maps."""

LAST_EVENT_AND_PATH = "last_event_and_path"
"""The checklist item that also gates raising the level by hand and asking the carrier."""

Phase = Literal["pre_ship", "post_ship", "commercial"]
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


# Type checkers do not see what subclasses inherit from these options, so they are told.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that a catalogue file says; an unknown key is an error."""


class Title(Data):
    """What people read, in Chinese and in English."""

    zh: str
    en: str


class ExceptionType(Data):
    """A code: what it is, who owns it first, what must be known before a promise.

    ``rank`` is the precedence inside the family, higher is stronger; ``checklist`` names the
    items that gate C asks for.
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


class Resolution(Data):
    """How a case ends, and which state that end leads to."""

    title: Title
    closes: Literal["remediated", "withdrawn"]


class Source(Data):
    """A feed and the raw codes of it that open a case, each with our code."""

    feed: str
    title: Title
    codes: dict[str, str]


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
    rows: dict[Step, str | dict[Basis, str]] = {}

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


class Tables(Data):
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

    def code_for(self, feed: str, raw_code: str) -> str:
        """Our code for a feed's raw code; OTHER when the feed or the code is unknown."""
        source = self.sources.get(feed)
        return OTHER if source is None else source.codes.get(raw_code, OTHER)

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
