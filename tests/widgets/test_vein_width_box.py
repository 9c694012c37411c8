"""The vein width of Segment: what was measured shows, and is where a person starts from."""

from napari_veinseg.widgets.segment.vein_width_box import VeinWidthBox


def test_the_measured_width_shows_and_the_first_step_starts_from_it(qtbot):
    box = VeinWidthBox()
    qtbot.addWidget(box)
    box.show_measured(6.42)
    assert box.text() == "measured: 6.4 px"
    assert box.value() == 0
    box.stepUp()
    assert box.value() == 6.4
    box.stepUp()
    assert box.value() == 7.4
    box.setValue(0)
    assert box.text() == "measured: 6.4 px"
