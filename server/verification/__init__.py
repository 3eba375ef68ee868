"""The auditor: derives the books again from raw events, and says where they differ.

It reads what the API gives out and nothing else. It shares no code with the domain, the postings
or the projections, so that a mistake there cannot hide itself here.
"""

from server.verification.auditor import audit
from server.verification.findings import KINDS, Finding

__all__ = ["KINDS", "Finding", "audit"]
