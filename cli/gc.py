"""`fintone gc`: delete files of the home that nothing refers to."""

from typing import Annotated

import typer

from cli.confirmation import YES, check_answerable, confirm
from cli.output.console import print_lines


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be freed, and delete nothing.")] = False,  # noqa: FBT002
    yes: Annotated[bool, YES] = False,  # noqa: FBT002
) -> None:
    """Free disk space: delete adapters, models, checkpoints and reports that nothing in the warehouse refers to.

    Shows what would be deleted, then asks for confirmation. Without a terminal, --yes or --dry-run is required. It does
    not start while a run is active in the home.

    Example: fintone gc --dry-run
    """
    from operations.garbage import collecting, delete_garbage
    from schemas.disk import format_bytes

    with collecting() as garbage:
        total = format_bytes(sum(item.bytes for item in garbage))
        if not garbage:
            print_lines([("gc", "nothing to free: the warehouse refers to every file")])
            return
        if not dry_run:
            check_answerable("gc", yes=yes)
        print_lines([(format_bytes(item.bytes), f"{item.place}: {item.why}") for item in garbage])
        if dry_run:
            print_lines([("total", f"{total} would be freed; nothing is deleted")])
            return
        confirm("gc", f"Delete these {total}?", yes=yes)
        delete_garbage(garbage)
    print_lines([("done", f"{total} freed")])
