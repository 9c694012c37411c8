"""Inputs that nobody meant: thrown at a reader, which must refuse them in a sentence."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_veinseg.errors import VeinSegError
from tests.faults.conftest import SHARE

MOST_SECONDS = 10.0  # of computing; a reader that takes longer hangs

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["../../etc/passwd", "a/b", "=1+1", "\ud800", "x" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def throw(strategy: st.SearchStrategy[Any], count: int, use: Callable[[Any], Any], tally) -> None:
    """Use `count` inputs; only a `VeinSegError` of one sentence is a refusal."""
    done = crashes = hangs = 0

    @settings(
        max_examples=count,
        database=None,
        derandomize=SHARE == 0,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(value: Any) -> None:
        nonlocal done, hangs
        begin = time.process_time()
        with refused_or_not():
            use(value)
        done += 1
        hangs += time.process_time() - begin > MOST_SECONDS

    try:
        one()
    except BaseException:
        crashes = 1
        raise
    finally:
        tally("fuzzed inputs", done)
        tally("crashes on fuzzed inputs", crashes)
        tally("hangs on fuzzed inputs", hangs)
    assert hangs == 0


@contextmanager
def refused_or_not() -> Iterator[None]:
    """Let pass what is done, or refused in one sentence."""
    refusal = ""
    try:
        yield
    except VeinSegError as error:
        refusal = str(error)
    assert not refusal or is_short_sentence(refusal), refusal


def is_short_sentence(text: str) -> bool:
    return "\n" not in text and text.endswith((".", ")")) and len(text) < 2000


@st.composite
def damaged(draw, content: bytes) -> bytes:
    """Some bytes changed, and perhaps the end cut off or something hung on."""
    changed = bytearray(content)
    for place in draw(st.lists(st.integers(0, len(changed) - 1), max_size=6)):
        changed[place] = draw(st.integers(0, 255))
    end = draw(st.just(len(changed)) | st.integers(0, len(changed)))
    return bytes(changed[:end]) + draw(st.just(b"") | st.binary(max_size=50))


@st.composite
def altered(draw, content: Any) -> Any:
    """JSON with one value anywhere in it replaced, removed or added."""
    changed = json.loads(json.dumps(content))
    inner = changed
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not keys:
            return changed
        key = draw(st.sampled_from(keys))
        deeper = isinstance(inner[key], dict | list) and inner[key]
        if not (deeper and draw(st.booleans())):
            break
        inner = inner[key]
    match draw(st.sampled_from(["replace", "remove", "add"])):
        case "replace":
            inner[key] = draw(json_values)
        case "remove":
            del inner[key]
        case "add" if isinstance(inner, dict):
            inner[draw(st.text(max_size=5))] = draw(json_values)
    return changed
