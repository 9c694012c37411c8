"""What sentences for the user have in common."""


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Give a number with its noun, `1 mask` or `1,200 masks`.

    Other plurals are told, and so is what else must agree: `counted(n, "mask is", "masks are")`.
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
