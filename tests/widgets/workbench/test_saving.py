"""A folder that is left while a worker writes loses nothing."""

import numpy as np

from napari_veinseg.correction.drafts import Draft
from napari_veinseg.widgets.workbench.saving import _Save


class StubFolder:
    def __init__(self):
        self.stored = []

    def store(self, index, draft):
        self.stored.append(draft)


def test_a_worker_that_comes_late_does_not_undo_a_later_mask():
    folder = StubFolder()
    old, new = (Draft(np.full((8, 8), value, np.uint8)) for value in (0, 1))
    first, second = _Save(folder, 0, old), _Save(folder, 0, new)
    for save in (first, second):  # as when the folder is left
        save.write()
    first.write()  # the worker that had been told to
    assert folder.stored == [old, new]
