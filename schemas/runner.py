"""Settings of where cells are trained and scored."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from schemas.settings import PositiveInt, Settings


class RunnerSettings(Settings):
    """Where cells are trained and scored. It changes no result, and so no id of a study or a cell."""

    kind: Literal["local", "ray"] = Field(
        default="local",
        description="`local`: on this machine (`training.side_by_side`). `ray`: on the nodes of a Ray cluster, where "
        "cells that share no training run at the same time. Needs the extra `ray`, which `make setup` "
        "installs, and a Prefect server.",
    )
    address: str | None = Field(
        default=None,
        description="Address of the Ray cluster: HOST:6379, or ray://HOST:10001. When not given, the cluster in "
        "RAY_ADDRESS, else the one on this machine, else one that is started for the run.",
        min_length=1,
    )
    gpus_per_cell: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="GPUs that a cell reserves, a fraction where cells share one; 1 when not given, if a node has any.",
    )
    cpus_per_cell: PositiveInt = Field(
        default=1, description="CPU cores that a cell reserves; without a GPU it computes in as many threads."
    )
    storage: str | None = Field(
        default=None,
        description="Folder through which adapters and checkpoints travel: an absolute path that all machines share, "
        "or an fsspec address such as s3://BUCKET/FOLDER. A folder in FINTONE_HOME when not given, for a cluster on "
        "one machine.",
    )

    @field_validator("storage")
    @classmethod
    def _the_same_everywhere(cls, value: str | None) -> str | None:
        if value is not None and "://" not in value and not Path(value).is_absolute():
            raise ValueError(f"{value!r} is another folder on each machine: give an absolute path or an fsspec address")
        return value

    @field_validator("storage", "address")
    @classmethod
    def _without_a_secret(cls, value: str | None) -> str | None:
        """Settings are kept in the warehouse and shown by the Prefect UI."""
        if value is not None and "@" in value.partition("://")[2].partition("/")[0]:
            raise ValueError(
                "an address with a name or a password in it would be kept and shown: give the address alone, and the "
                "credentials to its library, as in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        return value
