"""The colours of the plugin's docks, taken from napari's theme."""

from typing import Any

from napari.utils.theme import get_theme

MAIN_COLOUR = (0x1F, 0x7A, 0xC4)
"""Of what stands out; white text on it has a contrast of 4.6 in every theme."""


def style_sheet(theme_name: str) -> str:
    """Return the style of headings, hints and the main button in a theme of napari."""
    theme = get_theme(theme_name)
    quiet = _mix(theme.text.as_rgb_tuple(), theme.background.as_rgb_tuple(), 0.25)
    alarm = _mix(theme.background.as_rgb_tuple(), theme.error.as_rgb_tuple(), 0.12)
    hover = _mix(MAIN_COLOUR, (0, 0, 0), 0.15)
    return f"""
        QLabel[role="heading"] {{
            font-weight: 600; padding: 2px 0 3px 0;
            border-bottom: 1px solid {theme.primary.as_hex()};
        }}
        QFrame[role="foot"] {{ border-top: 1px solid {theme.foreground.as_hex()}; }}
        QFrame[role="trouble"] {{
            border: none; border-left: 4px solid {theme.error.as_hex()};
            background-color: {_rgb(alarm)};
        }}
        QFrame[role="trouble"] QToolButton {{ border: none; padding: 0 4px; font-weight: 600; }}
        QLabel[role="hint"] {{ color: {_rgb(quiet)}; }}
        QLabel[role="verdict"] {{ font-weight: 600; }}
        QPushButton {{ border: 1px solid transparent; padding: 3px; }}
        QPushButton:disabled {{ border-color: {theme.foreground.as_hex()}; }}
        QPushButton:checked {{ background-color: {_rgb(MAIN_COLOUR)}; color: white; }}
        QComboBox {{ border: 1px solid transparent; padding: 2px 9px 2px 7px; }}
        QCheckBox::indicator, QListView::indicator {{
            width: 14px; height: 14px; border-radius: 2px; padding: 0px;
            border: 1px solid {_rgb(quiet)}; background-color: {theme.background.as_hex()};
        }}
        QCheckBox::indicator:disabled {{ border-color: {theme.foreground.as_hex()}; }}
        QCheckBox::indicator:checked, QListView::indicator:checked {{
            image: url("theme_{theme.id}:/check.svg");
            background-color: {theme.current.as_hex()};
        }}
        QCheckBox::indicator:focus {{
            border: 2px solid {theme.text.as_hex()}; width: 12px; height: 12px;
        }}
        QPushButton:focus, QComboBox:focus,
        QListView:focus, QTableView:focus, QTextEdit[role="example"]:focus {{
            border: 1px solid {theme.text.as_hex()};
        }}
        QTableView, QListView {{ border: 1px solid transparent; }}
        QListView::item {{ min-height: 20px; }}
        QTextEdit[role="example"] > QWidget {{ background-color: transparent; }}
        QTextEdit[role="example"] {{
            font-size: {theme.font_size}; padding: 0px; border: 1px solid transparent;
            background-color: {theme.primary.as_hex()}; border-radius: 2px;
        }}
        QPushButton[role="primary"] {{
            background-color: {_rgb(MAIN_COLOUR)}; color: white; font-weight: 600; padding: 6px;
        }}
        QPushButton[role="primary"]:hover {{ background-color: {_rgb(hover)}; }}
        QPushButton[role="primary"]:disabled {{
            background-color: {theme.foreground.as_hex()}; color: {_rgb(quiet)};
        }}
    """


def _mix(one: Any, other: Any, share: float) -> tuple[int, ...]:
    return tuple(
        round(a * (1 - share) + b * share) for a, b in zip(one[:3], other[:3], strict=True)
    )


def _rgb(colour: tuple[int, ...]) -> str:
    return "rgb({}, {}, {})".format(*colour)
