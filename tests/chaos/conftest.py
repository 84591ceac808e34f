"""So that what fails beside the tests is told as well as in them."""

import pytest

pytest.register_assert_rewrite(
    "tests.chaos.bookkeeping", "tests.chaos.clients", "tests.chaos.watching"
)
