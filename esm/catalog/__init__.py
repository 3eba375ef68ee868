"""The catalogue: codes, remedies, chart and posting rules as data in TOML, and its loader."""

from esm.catalog.checks import check
from esm.catalog.data import Status, Title
from esm.catalog.loader import load, parse
from esm.catalog.model import (
    Account,
    Catalogue,
    CatalogueError,
    ChargeKind,
    Compensation,
    ExceptionType,
    ExpectedUse,
    LegalEntity,
    LegRule,
    NotInCatalogue,
    PostingRow,
    Postings,
    RawCode,
    Remedy,
    Resolution,
    Source,
)
from esm.catalog.rules import Clearing, Override, Rule, Service, Words

__all__ = [
    "Account",
    "Catalogue",
    "CatalogueError",
    "ChargeKind",
    "Clearing",
    "Compensation",
    "ExceptionType",
    "ExpectedUse",
    "LegRule",
    "LegalEntity",
    "NotInCatalogue",
    "Override",
    "PostingRow",
    "Postings",
    "RawCode",
    "Remedy",
    "Resolution",
    "Rule",
    "Service",
    "Source",
    "Status",
    "Title",
    "Words",
    "check",
    "load",
    "parse",
]
