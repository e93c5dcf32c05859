"""`fintone profiles`: the profiles that ship with fintone, and the settings of one."""

from typing import Annotated

import typer

from cli.completion import complete_profile
from cli.options import build_from_options
from cli.output.console import StandardOutput, print_lines, print_notice


def profiles(
    name: Annotated[
        str | None,
        typer.Argument(help="Profile or YAML file whose settings to print.", autocompletion=complete_profile),
    ] = None,
) -> None:
    """List the profiles, or print the settings of one as YAML, to edit and pass to `fintone run --profile`.

    Example: fintone profiles desk
    """
    from schemas.profiles import PROFILES, describe_profile, load_profile_text

    if name is None:
        print_lines([(profile, describe_profile(profile)) for profile in PROFILES])
        print_notice("to write your own: fintone profiles desk > my.yaml, edit it, then fintone run --profile my.yaml")
        return
    build_from_options(name, [], [])
    StandardOutput(may_be_file=False).write(load_profile_text(name))
