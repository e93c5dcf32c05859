"""The name of a data set of the hub is parsed, and its revision is resolved to a commit."""

import pytest

from ingestion.hub_dataset import HubReference, parse_reference, resolve_commit
from schemas.errors import InputError
from tests.ingestion.fake_hub import COMMIT, NAME, NEWS, OTHER, FakeHub, go_online, one_line


@pytest.mark.parametrize(
    ("source", "reference"),
    [
        ("hf:org/news", NEWS),
        ("hf:org/news:agree", HubReference(NAME, "agree")),
        ("hf:org/news@v1", HubReference(NAME, None, "v1")),
        ("hf:org/news:two words@refs/convert/parquet", HubReference(NAME, "two words", "refs/convert/parquet")),
        ("news.csv", None),
        ("embedded", None),
    ],
)
def test_a_source_on_the_hub_is_recognised_by_its_prefix(source: str, reference: HubReference | None) -> None:
    assert parse_reference(source) == reference
    assert reference is None or str(reference) == source


@pytest.mark.parametrize("source", ["hf:", "hf:news", "hf://datasets/a/b", "hf:org/news:", "hf:org/news@", "hf:a/b/c"])
def test_a_source_of_another_form_is_refused(source: str) -> None:
    with pytest.raises(InputError, match="names no data set of the hub: write hf:ORG/NAME, hf:ORG/NAME:CONFIG or") as e:
        parse_reference(source)
    assert repr(source) in one_line(e.value)


def test_a_name_that_the_hub_does_not_allow_is_refused(hub: FakeHub) -> None:
    with pytest.raises(InputError, match="source 'hf:org/a--b' names no data set of the hub"):
        resolve_commit(HubReference("org/a--b"))


@pytest.mark.parametrize(("revision", "commit"), [(None, COMMIT), ("main", COMMIT), ("refs/pr/1", OTHER)])
def test_a_revision_is_resolved_by_one_call(hub: FakeHub, revision: str | None, commit: str) -> None:
    hub.commits = {COMMIT: {}, OTHER: {}}
    hub.refs["refs/pr/1"] = OTHER
    assert resolve_commit(HubReference(NAME, None, revision)) == commit
    assert len([path for path in hub.requests if "/datasets/" in path]) == 1


def test_a_whole_commit_is_itself_without_a_call(hub: FakeHub) -> None:
    assert resolve_commit(HubReference(NAME, None, OTHER)) == OTHER
    assert hub.requests == []


def test_without_a_network_a_revision_means_what_it_meant_last(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.commits = {COMMIT: {}}
    assert resolve_commit(NEWS) == COMMIT
    go_online(monkeypatch, online=False)
    assert resolve_commit(NEWS) == COMMIT
    with pytest.raises(InputError) as caught:
        resolve_commit(HubReference(NAME, None, "v1"))
    assert one_line(caught.value).startswith("source 'hf:org/news@v1' cannot be fetched from the hub (")
    assert one_line(caught.value).endswith("this machine has no copy; try again with a network, or give a file")


def test_what_the_hub_does_not_have_cannot_be_resolved(hub: FakeHub) -> None:
    hub.commits = {COMMIT: {}}
    with pytest.raises(
        InputError, match="source 'hf:org/gone' is not on the hub, or private; check it or set HF_TOKEN"
    ):
        resolve_commit(HubReference("org/gone"))
    with pytest.raises(InputError, match="'hf:org/news@v9' has no revision 'v9'; give a commit, branch or tag"):
        resolve_commit(HubReference(NAME, None, "v9"))
