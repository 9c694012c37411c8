"""The colours of the plugin's docks, taken from napari's theme."""

from importlib.resources import files
from typing import Any

from napari.utils.theme import get_theme, template

MAIN_COLOUR = (0x1F, 0x7A, 0xC4)
"""Of what stands out; white text on it has a contrast of 4.6 in every theme."""


def style_sheet(theme_name: str) -> str:
    """Return the style of headings, hints and the main button in a theme of napari."""
    theme = get_theme(theme_name)
    text, background, error = (
        colour.as_rgb_tuple() for colour in (theme.text, theme.background, theme.error)
    )
    return template(
        files(__package__).joinpath("style.qss").read_text(encoding="utf-8"),
        **theme.to_rgb_dict(),
        quiet=_rgb(_mix(text, background, 0.25)),
        alarm=_rgb(_mix(background, error, 0.12)),
        hover=_rgb(_mix(MAIN_COLOUR, (0, 0, 0), 0.15)),
        main=_rgb(MAIN_COLOUR),
    )


def _mix(one: Any, other: Any, share: float) -> tuple[int, ...]:
    return tuple(
        round(a * (1 - share) + b * share) for a, b in zip(one[:3], other[:3], strict=True)
    )


def _rgb(colour: tuple[int, ...]) -> str:
    return "rgb({}, {}, {})".format(*colour)
