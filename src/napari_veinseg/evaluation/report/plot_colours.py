"""What plots are drawn with: dark on a page, or as the theme of a dock has it."""

from dataclasses import dataclass

# Okabe and Ito's colours, told apart in every form of colour blindness, then some of Paul Tol's.
_CONTENDERS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666"),
    *("#882255", "#332288", "#999933", "#661100", "#44aa99"),
)
_LEAST_CONTRAST = 3.0  # of a line with its ground, as WCAG 2 asks for


@dataclass(frozen=True)
class Ink:
    """The colours of a plot, each as `#rrggbb`."""

    ground: str
    text: str
    """Of what lies behind, and of titles and figures."""
    quiet: str
    faint: str
    grid: str
    """Of boxes, of helping lines, of the grid."""
    contenders: tuple[str, ...]
    """One after the other."""

    def contender(self, number: int) -> str:
        """Give the colour of a contender in plots and tables."""
        return self.contenders[number % len(self.contenders)]

    @classmethod
    def on(cls, ground: str, text: str) -> "Ink":
        """Choose what can be seen on a ground, with the colour that texts have there."""
        quiet, faint, grid = (_mix(text, ground, share) for share in (0.25, 0.5, 0.85))
        contenders = tuple(_seen_on(ground, text, colour) for colour in _CONTENDERS)
        return cls(ground, text, quiet, faint, grid, contenders)


PAGE = Ink("#ffffff", "#000000", "#555555", "#999999", "#e6e6e6", _CONTENDERS)


def contrast(one: str, other: str) -> float:
    """Compute the contrast of two colours as WCAG 2 defines it: 1, equally bright, to 21."""
    darker, brighter = sorted(_luminance(each) for each in (one, other))
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _seen_on(ground: str, text: str, colour: str) -> str:
    """Bring a colour as near to that of the text as it must be to be seen."""
    mixed = (_mix(colour, text, step / 20) for step in range(20))
    return next((each for each in mixed if contrast(each, ground) >= _LEAST_CONTRAST), text)


def _mix(one: str, other: str, share: float) -> str:
    mixed = (a + share * (b - a) for a, b in zip(_parts(one), _parts(other), strict=True))
    return "#" + "".join(f"{round(255 * part):02x}" for part in mixed)


def _parts(colour: str) -> list[float]:
    return [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
