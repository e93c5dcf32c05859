"""Text from outside on its way to a person: nothing in it steers a terminal."""


def show_text(text: str, *, lines: bool = False) -> str:
    """A text whose every character can be seen: what steers a terminal, or turns the direction of a line, is spelled.

    Args:
        text: Any text.
        lines: Keep line breaks and tabs as they are.
    """
    if text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(sign if sign.isprintable() or sign in kept else _spell_out(sign) for sign in text)


def _spell_out(sign: str) -> str:
    """A character as Python writes it in a string: the escape character has four, from a backslash on."""
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
