"""Text from outside made safe to show: nothing in it can control a terminal."""

import os


def show_text(text: str, *, lines: bool = False) -> str:
    """A text with only visible characters: those that control a terminal, or reverse a line, are escaped.

    Args:
        text: Any text.
        lines: Keep line breaks and tabs as they are.
    """
    if text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(sign if sign.isprintable() or sign in kept else _spell_out(sign) for sign in text)


def show_undecoded(text: str) -> str | None:
    r"""An argument or a path that is not UTF-8, with bytes beyond ASCII as `\xNN`; None for one that is UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text).decode("ascii", "backslashreplace")
    return None


def _spell_out(sign: str) -> str:
    """A character as Python escapes it in a string, in four or more visible characters."""
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
