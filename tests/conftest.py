"""No test writes into the user's cache."""

import os
import tempfile

import pytest


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VEINSEG_CACHE"] = folder
        yield
        del os.environ["VEINSEG_CACHE"]
