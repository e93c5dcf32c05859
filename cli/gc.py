"""`fintone gc`: files of the home that nothing refers to."""

from typing import Annotated

import typer

from cli.confirmation import YES, check_answerable, confirm
from cli.output.console import print_lines


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be freed, and delete nothing.")] = False,  # noqa: FBT002
    yes: Annotated[bool, YES] = False,  # noqa: FBT002
) -> None:
    """Free disk space: delete adapters, models, checkpoints and reports that nothing in the warehouse refers to.

    Shows what would go, then asks. Elsewhere than on a terminal it needs --yes or --dry-run. It does not start while a
    run is at work in the home.

    Example: fintone gc --dry-run
    """
    from operations.disk import format_bytes
    from operations.garbage import collecting, delete_garbage

    with collecting() as garbage:
        total = format_bytes(sum(each.bytes for each in garbage))
        if not garbage:
            print_lines([("gc", "nothing to free: the warehouse refers to all that is there")])
            return
        if not dry_run:
            check_answerable("gc", yes=yes)
        print_lines([(format_bytes(each.bytes), f"{each.place}: {each.why}") for each in garbage])
        if dry_run:
            print_lines([("in all", f"{total} would be freed; nothing is deleted")])
            return
        confirm("gc", f"Delete these {total}?", yes=yes)
        delete_garbage(garbage)
    print_lines([("done", f"{total} are freed")])
