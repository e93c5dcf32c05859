"""Other processes by their PID: what they are, and whether they are still alive."""

from pathlib import Path

MOST_CHARACTERS = 40


def describe_process(pid: int) -> str:
    """A readable name of a process: its PID and, if the system has it, its program, as in `PID 4711, jupyter-lab`."""
    program = _find_program(pid)
    return f"PID {pid}, {program}" if program else f"PID {pid}"


def _find_program(pid: int) -> str:
    """The name of the program, of the script or module for Python; of fintone with its command. No other argument."""
    import psutil

    try:
        words = [word for word in psutil.Process(pid).cmdline() if word]
    except (psutil.Error, OSError):
        return ""
    if not words:
        return ""
    program = Path(words[0]).name
    if program.startswith("python") and len(words) > 1:
        program, words = _find_script(words)
    if program == "fintone":
        program = " ".join([program, *(word for word in words[1:2] if word.isalpha())])
    return program[:MOST_CHARACTERS]


def _find_script(words: list[str]) -> tuple[str, list[str]]:
    """The script or module that Python runs, and the words from it on."""
    for place, word in enumerate(words[1:], start=1):
        if words[place - 1] in {"-W", "-X"}:
            continue
        if word == "-m" and place + 1 < len(words):
            return words[place + 1], words[place + 1 :]
        if word in {"-c", "-"}:
            return Path(words[0]).name, words
        if not word.startswith("-"):
            return Path(word).name, words[place:]
    return Path(words[0]).name, words
