"""Fixtures that the tests of several packages share."""

import gc
import logging
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from embedded.grammar import generate_headline
from embedded.paths import MODEL_FOLDER
from schemas.label import Label
from tests.examples import examples

if TYPE_CHECKING:
    from learning.worker.process import Worker
    from schemas.plan import StudyPlan
    from tests.server_record import ServerRecord

settings.register_profile("unhurried", deadline=None, max_examples=examples(100))
settings.load_profile("unhurried")  # the time of an example depends more on the machine than on the code


def pytest_configure() -> None:
    """Let processes that tests start react to signals, even if `nohup` or a background script runs the tests.

    Collection imports all that is tested: looking for garbage meanwhile takes an eighth of the time.
    """
    gc.disable()
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: lambda *_: None}
    for number, handler in handlers.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)  # unlike SIG_IGN, a new process does not inherit it


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark as slow what uses the Prefect server or the training process, which take seconds to start."""
    uses = set(getattr(item, "fixturenames", ()))
    if uses & {"session_server", "session_worker"} and item.get_closest_marker("quick") is None:
        item.add_marker("slow")


def pytest_collection_finish() -> None:
    """Exclude objects that live as long as the process from garbage collection: each training collects twice."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def _lasting_objects() -> Iterator[None]:
    """Exclude what a test module has loaded from garbage collection too."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def readable_by_others() -> None:
    """Skip tests that give up their rights unless another user can load the project."""
    root = Path(__file__).parents[1]
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in (root, *root.parents)):
        pytest.skip("another user may not read the project's folder")


@pytest.fixture(scope="session")
def fpb_folder() -> Path:
    """The folder with the real FinancialPhraseBank, whose licence keeps it out of the project."""
    usual = Path(__file__).parents[2] / "shared" / "data" / "fpb"
    folder = Path(os.environ.get("FINTONE_TEST_FPB", usual))
    if not (folder / "FinancialPhraseBank-v1.0.zip").is_file():
        pytest.skip("needs FinancialPhraseBank: set FINTONE_TEST_FPB to the folder with FinancialPhraseBank-v1.0.zip")
    return folder


@pytest.fixture(scope="session")
def llama_folder() -> Path:
    """A small Llama with the Llama 2 tokenizer, whose licence keeps it out of the project."""
    usual = Path(__file__).parents[2] / "shared" / "models" / "llama-15m"
    folder = Path(os.environ.get("FINTONE_TEST_LLAMA", usual))
    if not (folder / "config.json").is_file():
        pytest.skip("needs a model with the Llama 2 tokenizer: set FINTONE_TEST_LLAMA to its folder")
    return folder


@pytest.fixture(scope="session")
def session_worker() -> Iterator["Worker"]:
    """The training process, which takes 8 seconds to start and ends after the last test."""
    from operations.worker import _get_worker, close_worker

    yield _get_worker()
    close_worker()


@pytest.fixture(scope="module")
def lasting_worker(session_worker: "Worker") -> Iterator[None]:
    """Keep the training process running between the studies of the module, so that it starts once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("operations.worker.close_worker", lambda: None)
        for caller in ("flows.score", "operations.export"):
            patch.setattr(f"{caller}.close_worker", lambda: None)
        yield


@pytest.fixture(scope="session")
def session_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server that all modules share: a start takes 8 seconds."""
    from benchmarks.kills import shared_server
    from flows.deployment import close_prefect

    with shared_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server.url
        close_prefect()  # while the server can still receive what is queued


@pytest.fixture(scope="module")
def server(session_server: str) -> Iterator[str]:
    """Run the flows of the module on a real Prefect server; returns its address."""
    from tests.server_record import using_server

    with using_server(session_server):
        yield session_server


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    """The events that a flow logs for the terminal, in order."""
    seen: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.extend([record.fintone] if hasattr(record, "fintone") else [])

    logger, handler = logging.getLogger("prefect"), Keep()
    logger.addHandler(handler)
    yield seen
    logger.removeHandler(handler)


@pytest.fixture
def recorded(server: str) -> "ServerRecord":
    """What the Prefect server has recorded since the test began."""
    from tests.server_record import ServerRecord

    return ServerRecord()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new warehouse for tests to copy, since making one takes half a second."""
    from storage.warehouse import prepare_warehouse

    path = tmp_path_factory.mktemp("prepared") / "warehouse.duckdb"
    prepare_warehouse(path)
    return path


@pytest.fixture
def new_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared: Path) -> Path:
    """A home with a new warehouse."""
    (tmp_path / "home").mkdir()
    shutil.copy(prepared, tmp_path / "home")
    monkeypatch.setenv("FINTONE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module", autouse=True)
def new_warehouses(prepared: Path) -> Iterator[None]:
    """Make new warehouses from a copy of `prepared`; a module that tests how one is made overrides this fixture."""
    from storage import migrations, warehouse

    usual, migrate = (migrations.MIGRATIONS_FOLDER, migrations.VIEWS_FILES), warehouse._migrate

    def copy_and_migrate(path: Path) -> None:
        if not path.exists() and usual == (migrations.MIGRATIONS_FOLDER, migrations.VIEWS_FILES):
            with suppress(OSError):  # the real migration reports it
                shutil.copyfile(prepared, path)
        migrate(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warehouse, "_migrate", copy_and_migrate)
        yield


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of 2 layers in Hugging Face's format; it tests mechanics, not quality."""
    from learning.models.base_model import load_tokenizer
    from learning.training.pretrain import Recipe, build_model

    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = load_tokenizer(MODEL_FOLDER)
    recipe = Recipe(hidden_size=64, intermediate_size=128, layers=2, heads=2)
    build_model(recipe, len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of 2 layers in sentence-transformers' format; it tests mechanics, not quality."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, set_seed

    from learning.models.base_model import load_tokenizer

    bert, folder = tmp_path_factory.mktemp("bert"), tmp_path_factory.mktemp("encoders") / "tiny"
    tokenizer = load_tokenizer(MODEL_FOLDER)
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer.save_pretrained(bert)
    config = BertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    set_seed(1)
    BertModel(config).save_pretrained(bert)
    modules = [Transformer(str(bert)), Pooling(32, "mean")]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)
    return folder


@pytest.fixture(scope="session")
def labelled() -> tuple[list[str], list[Label]]:
    """Forty headlines of different lengths with their labels."""
    random = Random(3)
    headlines = [generate_headline(random) for _ in range(40)]
    return [headline.text for headline in headlines], [Label(headline.sentiment) for headline in headlines]


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[[str, list[tuple[str, str]]], Any]:
    """Builds a tokenizer by hand, with a token for each character and then one for each merge, in order."""
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    def make(characters: str, merges: list[tuple[str, str]]) -> Any:
        tokens = [*characters, *(left + right for left, right in merges)]
        tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
        tokenizer.decoder = decoders.Fuse()
        return PreTrainedTokenizerFast(tokenizer_object=tokenizer)

    return make


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> "tuple[Path, str, StudyPlan]":
    """A home with one trained and evaluated cell, the id of the cell, and its study."""
    from tests.trained_home import train_one_cell

    root = tmp_path_factory.mktemp("home")
    study = train_one_cell(root, tiny_folder)
    [cell] = study.cells
    return root, cell.cell_id, study
