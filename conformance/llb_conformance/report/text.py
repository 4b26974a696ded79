"""What loaders say, made fit to be shown: their characters must not steer a page or a terminal."""

__all__ = ["shown"]


def shown(text: str) -> str:
    """The text with everything escaped that is no letter, mark or space, but line ends and tabs."""
    return "".join(
        mark if mark in "\t\n" or mark.isprintable() else mark.encode("unicode_escape").decode()
        for mark in text
    )
