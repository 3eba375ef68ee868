"""Fixtures of the tests of webhooks."""

from collections.abc import Iterator

import pytest

from tests.webhooks.vendors import Place, place


@pytest.fixture
def there() -> Iterator[Place]:
    """Webhooks that listen, with a secret for every feed."""
    with place() as found:
        yield found
