"""Python does not search what was just loaded for garbage: that holds the viewer."""

import subprocess
import sys

SCRIPT = """
import gc
from napari_veinseg.widgets.common.garbage_collection import loading
searched = []
gc.callbacks.append(lambda phase, info: searched.append(info))
with loading():
    kept = [[] for _ in range(100_000)]
assert searched == [], searched
assert gc.isenabled()
assert gc.get_freeze_count() >= 100_000
"""


def test_what_is_loaded_is_never_searched():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
