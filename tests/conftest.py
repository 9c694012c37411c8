"""What all tests share: a cache of their own, and the counts of the fault suite."""

import gc
import os
import tempfile
from collections import defaultdict

import pytest
from hypothesis import settings

# napari's labels load numba, which sets how many threads OpenMP has, torch's among them.
os.environ.setdefault("NUMBA_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))

_COUNTED = "counted"

# The same examples each time, for a change is not judged by luck; `make faults` looks for new ones.
# None is late: a busy machine is no fault.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("new", deadline=None)
settings.load_profile("new" if "VEINSEG_FAULTS" in os.environ else "same")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VEINSEG_CACHE"] = folder
        yield
        del os.environ["VEINSEG_CACHE"]


def pytest_collection_finish() -> None:
    """Spare what is imported by now from the search for cycles after each viewer."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def tally(record_property):
    """Add a number to what is told at the end of the run, also from a worker of xdist."""

    def add(what: str, number: float) -> None:
        record_property(_COUNTED, (what, number))

    return add


def pytest_terminal_summary(terminalreporter) -> None:
    """Tell below the results what the fault suite counted: kills, items lost, inputs, crashes."""
    totals: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                for name, value in report.user_properties:
                    if name == _COUNTED:
                        totals[value[0]] += value[1]
    if totals:
        terminalreporter.section("fault suite")
        for what, total in totals.items():
            terminalreporter.write_line(f"{what}: {total:g}")
