"""What sentences for the user have in common."""


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Give a number with its noun, `1 mask` or `1,200 masks`.

    Other plurals are told, and so is what else must agree: `counted(n, "mask is", "masks are")`.
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def some_of(part: int, whole: int, noun: str) -> str:
    """Give a part of a whole: `2 of the 5 images`, `1 of 1 image`."""
    return f"{part:,} of {'' if whole == 1 else 'the '}{counted(whole, noun)}"
