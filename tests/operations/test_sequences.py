"""Sequences of ingestions and splits, in any order and with any overlap: what must hold after each step of them.

Each sequence has a warehouse of its own. Headlines come from a small stock, so that they come again as copies, in other
words, with other numbers, and with labels that disagree.
"""

import csv
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from rapidfuzz.fuzz import token_sort_ratio

from benchmarks.corpus import iterate_rows
from ingestion.refusals import NothingAcceptedError, TooManyRejectedError
from learning.study.split_sizes import SplitError
from operations.intake import ingest_and_save
from schemas.label import LABELS
from schemas.source import DataSettings
from schemas.split import SplitSettings
from storage.warehouse import prepare_warehouse
from tests.asking import ask
from tests.splitting import divide

STOCK = [text for text, _, kind in iterate_rows(60, seed=11) if kind == "new" and len(text.split()) > 10][:24]
WAYS = ("as it is", "white space", "numbers", "reworded", "post", "mojibake")
Row = tuple[str, str]


def vary(text: str, way: str) -> str:
    if way == "white space":
        return f" {text.replace(' ', '  ', 1)}"
    if way == "numbers":
        return "".join("7" if sign.isdigit() else sign for sign in text)
    if way == "post":
        return f"RT @desk: {text} https://t.co/{len(text)} #news"
    if way == "mojibake":
        return text.encode().decode("latin-1")
    words = text.split()
    return " ".join([*words[3:], *words[:3]]) if way == "reworded" else text


def undo(text: str) -> str:
    """The text as it was before it was posted or misread."""
    plain = text.removeprefix("RT @desk: ").partition(" https://")[0]
    with suppress(UnicodeError):
        return plain.encode("latin-1").decode()
    return plain


def is_near(text: str, other: str, near: str) -> bool:
    """Whether texts are near copies, judged without the code under test: by their numbers, or by nine words in ten."""
    one, two = (re.sub(r"\d+(?:[.,]\d+)*", "0", undo(each).casefold()) for each in (text, other))
    return one == two or (near == "reworded" and token_sort_ratio(one, two) >= 90)


def write_source(path: Path, rows: list[Row], form: str) -> None:
    if form == "json lines":
        path.write_text("\n".join(json.dumps({"label": label, "text": text}) for text, label in rows))
        return
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t" if form == "tsv" else ",")
        writer.writerows([("text", "label"), *rows])


@st.composite
def sources(draw: st.DrawFn) -> list[Row]:
    """Most of the stock, each with the label of its position, and some rows that repeat, contradict or are invalid."""
    left_out = draw(st.sets(st.integers(0, len(STOCK) - 1), max_size=8))
    rows = [(text, LABELS[place % 3].value) for place, text in enumerate(STOCK) if place not in left_out]
    more = st.tuples(st.integers(0, len(STOCK) - 1), st.sampled_from(WAYS), st.sampled_from([*LABELS, "unknown"]))
    rows += [(vary(STOCK[place], way), str(label)) for place, way, label in draw(st.lists(more, max_size=10))]
    return draw(st.permutations(rows))


class Sequence(RuleBasedStateMachine):
    """A desk that ingests and splits, week after week."""

    template: Path

    @initialize()
    def begin(self) -> None:
        self.home = Path(mkdtemp())
        shutil.copy(self.template, self.home / "warehouse.duckdb")
        os.environ["FINTONE_HOME"] = str(self.home)
        self.snapshots: dict[str, list[object]] = {}
        self.tested: set[str] = set()
        self.test_texts: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "home"):
            shutil.rmtree(self.home)

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        return ask(self.home, sql)

    @rule(
        rows=sources(),
        forms=st.permutations(["csv", "tsv", "json lines"]),
        conflicts=st.sampled_from(["drop", "majority", "keep"]),
        near=st.sampled_from(["numbers", "reworded"]),
        sizes=st.tuples(st.integers(1, 2), st.integers(1, 2)),
        balance=st.sampled_from(["balanced", "natural"]),
        random=st.randoms(use_true_random=False),
    )
    def ingest_and_split(self, rows, forms, conflicts, near, sizes, balance, random: Random) -> None:
        path = self.home / "week"
        data = DataSettings(source=str(path), conflicts=conflicts, near_duplicates=near, max_rejected=1)
        write_source(path, rows, forms[0])
        ingested = ingest_and_save(data, lambda _: None)
        assert not ingest_and_save(data, lambda _: None).is_new
        write_source(path, random.sample(rows, len(rows)), forms[1])
        assert ingest_and_save(data, lambda _: None).snapshot_id == ingested.snapshot_id
        self.check_account(ingested.ingest_id, rows)
        split = SplitSettings(method="hashed", train_per_class=sizes[0], test_per_class=sizes[1], balance=balance)
        try:
            split_id = divide(ingested, split, near)
        except SplitError:
            return
        self.check_split(split_id, split)
        self.check_test_membership(split_id, ingested.snapshot_id, near)

    @rule(rows=sources(), label=st.sampled_from(["positive", "unknown"]))
    def ingest_what_is_refused(self, rows: list[Row], label: str) -> None:
        path, before = self.home / "week", self.count_rows()
        write_source(path, [("", label), *((text, "unknown") for text, _ in rows)], "csv")
        with pytest.raises((TooManyRejectedError, NothingAcceptedError)):
            ingest_and_save(DataSettings(source=str(path)), lambda _: None)
        assert self.count_rows() == before

    def count_rows(self) -> list[tuple[object, ...]]:
        tables = ("sources", "headlines", "rejected_rows", "quarantine", "snapshots", "snapshot_headlines")
        return self.ask(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables))

    def check_account(self, ingest_id: str, rows: list[Row]) -> None:
        [(read, accepted, merged, rejected, quarantined)] = self.ask(
            "SELECT rows_read, rows_accepted, rows_merged, rows_rejected, rows_quarantined FROM sources"
            f" WHERE ingest_id = '{ingest_id}'"
        )
        assert read == len(rows) == accepted + merged + rejected
        reasons = self.ask(f"SELECT row_number, reason FROM rejected_rows WHERE ingest_id = '{ingest_id}'")
        assert len({number for number, _ in reasons}) == rejected
        assert sum("unknown label" in reason for _, reason in reasons) == sum(label == "unknown" for _, label in rows)
        counts = self.ask(
            f"SELECT count(*), count(DISTINCT row_number) FROM quarantine WHERE ingest_id = '{ingest_id}'"
        )
        assert counts == [(quarantined, quarantined)]

    def check_split(self, split_id: str, split: SplitSettings) -> None:
        rows = self.ask(
            "SELECT part, label, text_id, masked_id, group_id FROM splits JOIN headlines USING (headline_id)"
            f" JOIN snapshot_headlines USING (snapshot_id, headline_id) WHERE split_id = '{split_id}'"
        )
        parts_of_group: dict[object, set[object]] = {}
        for part, _, _, _, group in rows:
            parts_of_group.setdefault(group, set()).add(part)
        assert {len(parts) for parts in parts_of_group.values()} == {1}
        for part, size in (("train", split.train_per_class), ("test", split.test_per_class)):
            assert sum(row[0] == part for row in rows) >= 3 * size
        assert {label for part, label, *_ in rows if part == "validation"} == {*LABELS}
        self.tested |= {str(masked) for part, _, _, masked, _ in rows if part == "test"}

    def check_test_membership(self, split_id: str, snapshot_id: str, near: str) -> None:
        """A headline that was in test is in test again, and no near copy of it is in another part."""
        parts = dict(
            self.ask(f"SELECT text, part FROM splits JOIN headlines USING (headline_id) WHERE split_id = '{split_id}'")
        )
        texts = self.ask(
            "SELECT text FROM snapshot_headlines JOIN headlines USING (headline_id)"
            f" WHERE snapshot_id = '{snapshot_id}'"
        )
        assert {parts.get(text) for (text,) in texts if text in self.test_texts} <= {"test"}
        self.test_texts |= {str(text) for text, part in parts.items() if part == "test"}
        learnt = [str(text) for text, part in parts.items() if part != "test"]
        assert not [(text, other) for text in learnt for other in self.test_texts if is_near(text, other, near)]

    @invariant()
    def what_was_in_test_is_nowhere_else(self) -> None:
        if not hasattr(self, "home"):
            return
        learned = self.ask(
            "SELECT DISTINCT masked_id FROM splits JOIN headlines USING (headline_id) WHERE part <> 'test'"
        )
        later = self.ask(
            "SELECT text_id, masked_id FROM splits JOIN headlines USING (headline_id) GROUP BY ALL"
            " HAVING bool_or(part = 'test') AND bool_or(part <> 'test')"
        )
        assert later == []
        assert not self.tested & {str(masked) for (masked,) in learned}

    @invariant()
    def snapshots_stay_as_they_are(self) -> None:
        if not hasattr(self, "home"):
            return
        now: dict[str, list[object]] = {}
        rows = self.ask(
            "SELECT snapshot_id, position, headline_id, text, label, group_id, copies FROM snapshot_headlines"
            " JOIN headlines USING (headline_id) ORDER BY ALL"
        )
        for snapshot_id, *rest in rows:
            now.setdefault(str(snapshot_id), []).append(rest)
        assert {snapshot_id: now[snapshot_id] for snapshot_id in self.snapshots} == self.snapshots
        self.snapshots = now


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("template") / "warehouse.duckdb"
    prepare_warehouse(path)
    before = os.environ.get("FINTONE_HOME")
    yield path
    if before is None:
        os.environ.pop("FINTONE_HOME", None)
    else:
        os.environ["FINTONE_HOME"] = before


def run_sequences(template: Path, count: int) -> None:
    Sequence.template = template
    run_state_machine_as_test(
        Sequence,
        settings=settings(
            max_examples=count, stateful_step_count=6, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.slow
def test_every_rule_holds_in_a_few_sequences(template: Path) -> None:
    run_sequences(template, 2)


@pytest.mark.soak
def test_every_rule_holds_in_two_hundred_sequences(template: Path) -> None:
    run_sequences(template, 200)
