"""The buttons of a run: begin one, go on with one that was cut short, end it."""

from qtpy.QtWidgets import QPushButton

from napari_veinseg.training.run_folder import Run
from napari_veinseg.widgets.common.form import Hint, Section, button, set_primary
from napari_veinseg.widgets.train.comparison_table import ComparisonTable


class RunButtons(Section):
    """Start, Resume and Stop, and why a run cannot start."""

    def __init__(self) -> None:
        super().__init__("")
        self.why_not = Hint()
        self.offer = ""
        """Says of what run it is that can be resumed, where it isn't seen."""
        self.start = button(
            "Sta&rt", "Train in a process of its own; the viewer stays free.", primary=True
        )
        self.resume = button("Resume", _explain_resume("RUN"))
        self.stop = button("Stop", "End now and keep what has been learned so far.")
        self.add_wide(self.why_not)
        self.add_buttons(self.start, self.resume, self.stop)

    def show_state(self, idle: bool, running: bool, refusal: str, cut_short: Run | None) -> None:
        """Let be pressed what makes sense now.

        `refusal` says why nothing can be learned from the dataset; `cut_short` is a run that can
        go on.
        """
        self.why_not.setText(refusal or (self.offer if cut_short is not None else ""))
        self.why_not.setVisible(bool(self.why_not.text()) and not running)
        self.start.setEnabled(idle and not refusal)
        self.stop.setEnabled(running)
        self.resume.setVisible(cut_short is not None)
        self.resume.setEnabled(idle)
        if cut_short is not None:
            self.resume.setToolTip(_explain_resume(str(cut_short.path)))

    def mark_next(self, told: ComparisonTable, cut_short: Run | None, *, on_purpose: bool) -> None:
        """Let what is pressed next stand out.

        A model that was judged to be better is kept; a run that was cut short goes on first, unless
        it was on purpose; what nothing has judged is looked at.
        """
        next_one: QPushButton | None = self.start
        if told.foot.isHidden():
            pass
        elif told.verdict.better and on_purpose:
            next_one = told.keep
        elif cut_short is not None:
            next_one = self.resume
        elif not told.verdict.judged:
            next_one = told.look if told.masks.isHidden() else None  # the person judges
        for each in (self.start, self.resume, told.keep, told.look):
            set_primary(each, each is next_one)


def _explain_resume(run: str) -> str:
    return (
        "Go on with this run from where it last saved, with the settings that it began with; in a "
        f"terminal: veinseg train --run {run} --resume."
    )
