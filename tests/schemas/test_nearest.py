"""For a mistyped name, the nearest known one is suggested."""

from pathlib import Path

from schemas.nearest import did_you_mean, did_you_mean_path, find_nearest


def test_the_nearest_name_is_found_whatever_the_case() -> None:
    assert find_nearest("SENTIMNT", ["headline", "Sentiment", "id"]) == "Sentiment"
    assert find_nearest("nonesuch", ["headline", "sentiment"]) is None
    assert did_you_mean("dmo", ["demo", "desk"]) == ", did you mean 'demo'?"
    assert did_you_mean("x", []) == ""


def test_a_path_is_compared_with_the_other_names_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "headlines.csv").touch()
    assert did_you_mean_path(f"{tmp_path}/headlnes.csv") == f", did you mean '{tmp_path}/headlines.csv'?"
    assert did_you_mean_path(f"{tmp_path}/none/headlnes.csv") == ""
    assert did_you_mean_path("embeded", "embedded") == ", did you mean 'embedded'?"
    assert did_you_mean_path("\0") == ""
