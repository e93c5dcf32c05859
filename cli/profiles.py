"""`fintone profiles`: the profiles that ship, and what one says."""

from typing import Annotated

import typer

from cli.completion import complete_profile
from cli.options import build_config
from cli.output.console import StandardOutput, print_lines, print_notice


def profiles(
    name: Annotated[
        str | None,
        typer.Argument(help="A profile, or a YAML file: shows its settings.", autocompletion=complete_profile),
    ] = None,
) -> None:
    """List the profiles, or print the settings of one as YAML, to be changed and given to `fintone run --profile`.

    Example: fintone profiles desk
    """
    from schemas.profiles import PROFILES, describe_profile, load_profile_text

    if name is None:
        print_lines([(profile, describe_profile(profile)) for profile in PROFILES])
        print_notice("one of your own: fintone profiles desk > my.yaml, change it, then fintone run --profile my.yaml")
        return
    build_config(name, [], [])
    StandardOutput().write(load_profile_text(name))
