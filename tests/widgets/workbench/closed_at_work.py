"""A viewer that is closed while its workbench makes a mask; run as a script by a test."""

import sys
import time
from pathlib import Path

import napari
from qtpy.QtCore import QTimer

from napari_veinseg.widgets.workbench.workbench import Workbench


def main() -> None:
    viewer = napari.Viewer()
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench)
    session = bench.session
    session.open(Path(sys.argv[1]))
    timer = QTimer(interval=5)

    def follow() -> None:
        if session.index == 0 and session.shown is not None and session.shown.mask is not None:
            session.shown.mask.paint((40, 60), 1)
            session.where_to.step(1)
        elif session.index == 1 and not (session.working or session.ahead.running):
            # On a busy machine all masks are made between two looks: another width asks anew.
            bench.segment.vein_width.setValue(bench.segment.vein_width.value() + 1)
            session.follow_model()
        if session.index == 1 and (session.working or session.ahead.running):
            timer.stop()
            sys.stdout.write(f"s until it was closed: {time.process_time()}\n")
            sys.stdout.flush()
            viewer.window._qt_window.close()

    timer.timeout.connect(follow)
    timer.start()
    napari.run()


if __name__ == "__main__":
    main()
