"""A viewer that is closed in the middle of the work ends soon, and nothing is lost."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from napari_veinseg.correction.image_folder import ImageFolder

resource = pytest.importorskip("resource")  # of POSIX: the processor time of a child


@pytest.mark.timeout(900)
def test_closing_while_a_mask_is_made(folder, tmp_path):
    names = ("VEINSEG_AUTOSAVE_DIR", "VEINSEG_CONFIG_DIR", "VEINSEG_MODELS")
    own = {name: str(tmp_path / name) for name in names}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(
        [sys.executable, Path(__file__).with_name("closed_at_work.py"), folder],
        env=os.environ | own,
        capture_output=True,
        text=True,
        timeout=840,  # a busy machine takes minutes for what an idle one does in ten seconds
    )
    assert run.returncode == 0, run.stderr[-2000:]
    opened = ImageFolder.open(folder).read(0)
    assert opened.draft is not None
    assert opened.draft.mask[40, 60] == 1
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # napari prints what it notifies of, so the figure is not always the last of what is printed.
    until_closed = re.search(r"s until it was closed: (\S+)", run.stdout)
    assert until_closed is not None, run.stdout[-2000:]
    # Searching all that a viewer and torch hold for cycles, at each layer and at the end, took 2.
    assert whole - float(until_closed[1]) < 1.2
