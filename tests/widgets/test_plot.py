"""A plot in a dock has the colours of napari's theme, also when that is switched."""

import pytest
from matplotlib.figure import Figure
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor

from napari_veinseg.widgets.common.result_views import Plot
from napari_veinseg.widgets.evaluate.evaluate import EvaluateWidget


@pytest.fixture
def plot(viewer, stub) -> Plot:
    evaluate = EvaluateWidget(viewer)
    viewer.window.add_dock_widget(evaluate, name="Evaluate")
    return evaluate.on_dataset.distribution


def test_a_plot_follows_the_theme(viewer, plot, qtbot):
    inks = []

    def draw(ink):
        inks.append(ink)
        return Figure()

    viewer.theme = "dark"
    plot.show_figure(draw)
    for name in ("dark", "light", "dark"):
        viewer.theme = name
        theme = get_theme(name)
        ground, text = (QColor(each.as_hex()).name() for each in (theme.background, theme.text))
        qtbot.waitUntil(
            lambda ground=ground, text=text: (
                bool(inks) and (inks[-1].ground, inks[-1].text) == (ground, text)
            )
        )
    qtbot.waitUntil(lambda: not plot.pixmap().isNull())
    assert plot.pixmap().toImage().pixelColor(1, 1).alpha() == 0, "the dock is seen behind it"
