"""The catalogue: codes, remedies, chart and posting rules as data in TOML, and its loader."""

from esm.catalog.checks import check
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
    Title,
)

__all__ = [
    "Account",
    "Catalogue",
    "CatalogueError",
    "ChargeKind",
    "Compensation",
    "ExceptionType",
    "ExpectedUse",
    "LegRule",
    "LegalEntity",
    "NotInCatalogue",
    "PostingRow",
    "Postings",
    "RawCode",
    "Remedy",
    "Resolution",
    "Source",
    "Title",
    "check",
    "load",
    "parse",
]
