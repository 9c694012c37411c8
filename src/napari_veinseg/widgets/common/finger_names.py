"""Which part of a file name is the finger: marked by the mouse in an example, seen in groups."""

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QLineEdit

from napari_veinseg.data.finger_groups import compile_finger_pattern, suggest_finger_pattern
from napari_veinseg.data.finger_pattern import group_by_finger, pattern_from_example
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.example_name import ExampleName
from napari_veinseg.widgets.common.form import Hint, Section, button

_OTHERWISE = "Not so? Click the part of the name that is the subject."


class FingerNames(Section):
    """Off until the user says that names tell fingers; with an empty `caution` always on."""

    changed = Signal()
    """Another pattern holds, or none."""

    def __init__(self, caution: str, of: str = "image") -> None:
        super().__init__("")
        self._stems: Sequence[str] = ()
        self.by_name = QCheckBox("The names say which subject it is")
        self.example = ExampleName()
        self.example.setPlaceholderText("choose a folder first")
        self.advanced = button(
            "Advanced",
            f"Show the regular expression behind the part of the {of}'s name.",
            checkable=True,
        )
        self.pattern = QLineEdit()
        self.pattern.setPlaceholderText("regular expression, as ^(.+)_\\d+$")
        self.groups = Hint()
        if caution:
            self.add_wide(self.by_name, caution)
        self.by_name.setChecked(not caution)
        self.add_row(
            "Example",
            self.example,
            f"Click the part of the {of}'s name that is the subject, such as a finger or an arm; "
            "Shift and click takes more, and a drag takes just what it sweeps over.",
            self.advanced,
        )
        self.add_row(
            "Name pattern",
            self.pattern,
            f"A regular expression; what its first ( ) finds in the {of}'s name is the subject.",
        )
        self.add_wide(self.groups)
        self.by_name.toggled.connect(self._settle)
        self.advanced.toggled.connect(self._show_state)
        self.example.marked.connect(self._learn)
        self.pattern.textEdited.connect(self._show_groups)
        self.pattern.editingFinished.connect(self._settle)
        self._show_state()

    def finger_pattern(self) -> str | None:
        """Return the pattern that the user has confirmed, or None."""
        return (self.pattern.text().strip() or None) if self.by_name.isChecked() else None

    def show_names(self, stems: Sequence[str]) -> None:
        """Take the names of a dataset: the first is the example, and a usual pattern a guess."""
        self._stems = stems
        self.example.show_name(stems[0] if stems else "")
        if not self.pattern.text():
            self.pattern.setText(suggest_finger_pattern(stems) or "")
        self._show_groups()

    def clear(self) -> None:
        """Forget the names and the pattern: another dataset is meant."""
        self.pattern.clear()
        self.show_names(())

    def follow(self, other: "FingerNames") -> None:
        """Take over what was confirmed in another tab about the same images."""
        self.pattern.setText(other.pattern.text())
        self.by_name.setChecked(other.by_name.isChecked())
        self._show_groups()

    def _learn(self, start: int, end: int) -> None:
        self.pattern.setText(pattern_from_example(self._stems, self.example.text(), start, end))
        self._settle()

    def _settle(self, *_on: bool) -> None:
        self._show_groups()
        self.changed.emit()

    def _show_groups(self, *_text: str) -> None:
        """Show what the pattern makes of the names, and what it finds in the example."""
        pattern = self.pattern.text().strip()
        self.example.mark(0, 0)
        try:
            if not self._stems:
                self.groups.clear()
            elif not pattern:
                self.groups.setText("Click the part of the name that is the subject.")
            else:
                compiled = compile_finger_pattern(pattern)
                found = compiled.search(self.example.text()) if compiled is not None else None
                if found is not None:
                    self.example.mark(*found.span(1))
                groups = group_by_finger(self._stems, pattern)
                self.groups.setText(f"{groups}\n{_OTHERWISE}")
        except VeinSegError as error:
            self.groups.setText(str(error))
        self._show_state()

    def _show_state(self, *_on: bool) -> None:
        on = self.by_name.isChecked()
        self.set_row_visible(self.example, on)
        self.set_row_visible(self.pattern, on and self.advanced.isChecked())
        self.groups.setVisible(on and bool(self.groups.text()))
