"""Pieces of work on the viewer, one in a turn of the event loop."""

from qtpy.QtCore import QObject

from napari_veinseg.widgets.common.turns import Turns


def pieces(done, *names, then=None):
    for name in names:
        done.append(name)
        yield
    if then:
        then()


def test_each_piece_has_a_turn_and_the_end_is_told_once(qtbot):
    parent, done, ended = QObject(), [], []
    turns = Turns("Testing", parent)
    turns.ended.connect(lambda: ended.append(True))
    turns.begin(pieces(done, "a", "b"))
    assert (done, turns.running) == (["a"], True)
    qtbot.waitUntil(lambda: bool(ended))
    qtbot.wait(100)
    assert (done, ended, turns.running) == (["a", "b"], [True], False)


def test_nothing_comes_after_a_stop(qtbot):
    parent, done, ended = QObject(), [], []
    turns = Turns("Testing", parent)
    turns.ended.connect(lambda: ended.append(True))
    turns.begin(pieces(done, "a", "b"))
    turns.stop()
    qtbot.wait(100)
    assert (done, ended, turns.running) == (["a"], [], False)


def test_pieces_that_others_begin_are_done(qtbot):
    parent, done = QObject(), []
    turns = Turns("Testing", parent)
    turns.begin(pieces(done, "a", then=lambda: turns.begin(pieces(done, "b", "c"))))
    qtbot.waitUntil(lambda: done == ["a", "b", "c"] and not turns.running)
