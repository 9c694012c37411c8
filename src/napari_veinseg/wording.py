"""What sentences for the user have in common."""

from collections.abc import Sequence


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Give a number with its noun, `1 mask` or `1,200 masks`.

    Other plurals are told, and so is what else must agree: `counted(n, "mask is", "masks are")`.
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def some_of(part: int, whole: int, noun: str) -> str:
    """Give a part of a whole: `2 of the 5 images`, `all 5 images`, `the only image`."""
    if part == whole:
        return f"the only {noun}" if whole == 1 else f"all {counted(whole, noun)}"
    return f"{part:,} of {'' if whole == 1 else 'the '}{counted(whole, noun)}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Name the first of many things and count the others: `a, b, c and 4 more`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def capitalised(text: str) -> str:
    """Let a text begin as a sentence does."""
    return text[:1].upper() + text[1:]
