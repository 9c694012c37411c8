"""Edited pixels under painting, undoing and redoing, in any order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_veinseg.correction.edited_pixels import EditTracker, Pixels

SHAPE = (3, 5)


def one(index):
    return Pixels((np.array([index // 5]), np.array([index % 5])))


def test_pixels_by_slices_and_by_a_mask_within_them():
    tracker = EditTracker(SHAPE)
    within = np.array([[True, False], [False, True]])
    tracker.record(object(), Pixels((slice(1, 3), slice(0, 2)), within))
    assert np.flatnonzero(tracker.edited).tolist() == [5, 11]
    tracker.accept(Pixels((slice(0, 1), slice(None))))
    assert tracker.edited[0].all()


def test_what_left_the_history_done_stays_and_undone_is_forgotten():
    tracker = EditTracker(SHAPE)
    kept, dropped = object(), object()
    tracker.record(kept, one(1))
    tracker.record(dropped, one(2))
    tracker.follow(done=[kept], undone=[dropped])
    tracker.follow(done=[], undone=[])
    assert np.flatnonzero(tracker.edited).tolist() == [1]


def test_the_array_is_built_once_and_cannot_be_written():
    tracker = EditTracker(SHAPE)
    assert tracker.edited is tracker.edited
    assert not tracker.edited.flags.writeable


ACTIONS = st.one_of(
    st.tuples(st.just("paint"), st.integers(0, 14)),
    st.tuples(st.sampled_from(["undo", "redo", "look", "forget oldest"]), st.just(0)),
)


@settings(max_examples=200)
@given(st.lists(ACTIONS, max_size=30))
def test_against_a_plain_model_of_the_history(actions):
    """The edited pixels are those of all strokes that are done, however often one looked."""
    tracker = EditTracker(SHAPE)
    done, undone, settled = [], [], set()
    for action, index in actions:
        if action == "paint":
            stroke = (object(), index)
            tracker.record(stroke[0], one(index))
            done.append(stroke)
            undone.clear()
        elif action == "undo" and done:
            undone.append(done.pop())
        elif action == "redo" and undone:
            done.append(undone.pop())
        elif action == "forget oldest" and done:
            settled.add(done.pop(0)[1])
        # napari's history is looked at whenever the plugin wants to know, at least once a stroke.
        tracker.follow([key for key, _ in done], [key for key, _ in undone])
        wanted = settled | {index for _, index in done}
        assert set(np.flatnonzero(tracker.edited).tolist()) == wanted
