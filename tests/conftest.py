"""What tests of several rooms share."""

import atexit
import gc
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
    from schemas.config import StudyConfig
    from schemas.plan import StudyPlan
    from tests.told import Told

settings.register_profile("unhurried", deadline=None, max_examples=examples(100))
settings.load_profile("unhurried")  # how long an example takes says more of the machine than of the code


def pytest_configure() -> None:
    """Processes that tests start heed signals, also where `nohup` or a script in the background runs the tests."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)  # ignored here; a new process does not inherit a function


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what lasts as long as the process: each training asks it to look twice."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let the end of the process collect everything, else DuckDB's binding lists its types as leaked.

    pytest's import hook, which is the loader of this module too, holds the session and with it every test.
    """
    gc.unfreeze()
    if __spec__ is not None:
        atexit.register(vars(__spec__.loader).update, config=None, session=None)


@pytest.fixture(scope="module", autouse=True)
def _lasting_objects() -> Iterator[None]:
    """What a module has loaded lasts too."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def readable_by_others() -> None:
    """For tests that give up their rights: another user can load the project."""
    root = Path(__file__).parents[1]
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in (root, *root.parents)):
        pytest.skip("the project lies in a folder that no other user may look into")


@pytest.fixture(scope="session")
def fpb_folder() -> Path:
    """The folder with the real FinancialPhraseBank, whose licence keeps it out of the project."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "fpb"
    folder = Path(os.environ.get("FINTONE_TEST_FPB", beside))
    if not (folder / "FinancialPhraseBank-v1.0.zip").is_file():
        pytest.skip("needs FinancialPhraseBank: set FINTONE_TEST_FPB to the folder with FinancialPhraseBank-v1.0.zip")
    return folder


@pytest.fixture(scope="session")
def llama_folder() -> Path:
    """A small Llama with the Llama 2 tokenizer, whose licence keeps it out of the project."""
    beside = Path(__file__).parents[2] / "shared" / "models" / "llama-15m"
    folder = Path(os.environ.get("FINTONE_TEST_LLAMA", beside))
    if not (folder / "config.json").is_file():
        pytest.skip("needs a model with the Llama 2 tokenizer: set FINTONE_TEST_LLAMA to its folder")
    return folder


@pytest.fixture(scope="session")
def session_worker() -> Iterator["Worker"]:
    """The process that trains, which takes 8 seconds to start; it ends when the last test has ended."""
    from operations.worker import _get_worker, close_worker

    yield _get_worker()
    close_worker()


@pytest.fixture(scope="module")
def lasting_worker(session_worker: "Worker") -> Iterator[None]:
    """The process that trains outlives each study of the module, which saves starting it again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("operations.worker.close_worker", lambda: None)
        for user in ("flows.score", "operations.export"):
            patch.setattr(f"{user}.close_worker", lambda: None)
        yield


@pytest.fixture(scope="session")
def session_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server that all modules share: a start takes 8 seconds."""
    from benchmarks.kills import shared_server
    from flows.deployment import close_prefect

    with shared_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server.url
        close_prefect()  # while there is a server that takes what is left to send


@pytest.fixture(scope="module")
def server(session_server: str) -> Iterator[str]:
    """Flows of the module run on a real Prefect server, which is the address."""
    from tests.told import using_server

    with using_server(session_server):
        yield session_server


@pytest.fixture
def told(server: str) -> "Told":
    """What Prefect has been told since the test began."""
    from tests.told import Told

    return Told()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse that is new, for tests to copy: to make one takes half a second."""
    from storage.warehouse import prepare_warehouse

    path = tmp_path_factory.mktemp("prepared") / "warehouse.duckdb"
    prepare_warehouse(path)
    return path


@pytest.fixture(scope="module", autouse=True)
def new_warehouses(prepared: Path) -> Iterator[None]:
    """What makes a new warehouse begins with a copy; a module that tests how one is made overrides this."""
    from storage import warehouse

    usual, migrate = (warehouse.MIGRATIONS_FOLDER, warehouse.VIEWS_FILES), warehouse._migrate

    def copy_and_migrate(path: Path) -> None:
        if not path.exists() and usual == (warehouse.MIGRATIONS_FOLDER, warehouse.VIEWS_FILES):
            with suppress(OSError):  # which the real one tells
                shutil.copyfile(prepared, path)
        migrate(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warehouse, "_migrate", copy_and_migrate)
        yield


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of 2 layers in Hugging Face's format; for mechanics, never for a claim of quality."""
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
    """A random BERT of 2 layers in sentence-transformers' format; for mechanics, never for a claim of quality."""
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
    """Builds a tokenizer by hand: a token for each character and for each merge, in the order of the merges."""
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
    """A home with one cell that is trained and evaluated; its id; its study."""
    from learning.baselines.registry import plan_baselines
    from learning.kinds.causal import CausalModel
    from learning.kinds.resolution import plan_base, resolve_base_model
    from learning.models.device import choose_device
    from learning.models.loaded_base import LoadedBase
    from learning.scoring.model_evaluation import evaluate_model
    from learning.study.grid import plan_study
    from learning.study.identity import decoding_id
    from learning.training.cell import train_adapter
    from learning.training.recipe import Recipe
    from operations.intake import ingest_and_save
    from operations.planning import cell_records
    from operations.records import cell_outcome, load_part, load_parts, save_results
    from operations.splitting import settle_split
    from schemas.plan import FoundModel
    from schemas.stored import write_stored
    from storage.cell_progress import finish_cell, start_cell
    from storage.cells import add_cells
    from storage.home import Home
    from storage.studies import StudyRecord, save_study
    from tasks.step_log import StepLog

    root = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FINTONE_HOME", str(root))
        random = Random(5)
        rows = [generate_headline(random) for _ in range(150)]
        source = root / "headlines.csv"
        source.write_text("\n".join(["text\tlabel", *(f"{row.text}\t{row.sentiment}" for row in rows)]))
        config = _configure(source, tiny_folder)
        ingested = ingest_and_save(config.data, lambda _: None)
        split = settle_split(ingested, config.split, config.data.near_duplicates)
        found = resolve_base_model(str(tiny_folder), None, root)
        base, baselines = plan_base(found, "nf4"), plan_baselines(config.baselines)
        study = plan_study(config, ingested.snapshot_id, split, lambda own: FoundModel(base, own), baselines)
        home = Home.from_environment()
        record = StudyRecord(
            study_id=study.study_id,
            profile="demo",
            snapshot_id=study.snapshot_id,
            split_id=split,
            base_model=base.name,
            base_revision=base.revision,
            source=str(source),
            synthetic=False,
            config=write_stored(config),
            temperatures=config.decoding.temperatures,
            decoding_id=decoding_id(config.decoding),
        )
        save_study(home.warehouse, record)
        [cell] = study.cells
        add_cells(home.warehouse, study.study_id, cell_records(study, (*study.base_cells, *study.baselines, cell)))
        start_cell(home.warehouse, cell.cell_id)
        loaded, train = LoadedBase(tiny_folder, "nf4", choose_device()), load_part(study, "train")
        labels = [Label(label) for label in train.labels]
        recipe = Recipe(config.prompt, config.lora, cell.settings.training)
        outcome = train_adapter(loaded, train.texts, labels, recipe, home.adapter(cell.cell_id))
        StepLog(cell, "training").save(outcome)
        finish_cell(home.warehouse, cell.cell_id, cell_outcome(cell, outcome))
        results = evaluate_model(
            CausalModel(loaded),
            (home.adapter(cell.cell_id), None),
            load_parts(study),
            prompt=config.prompt,
            decoding=config.decoding,
            on_headlines=lambda _: None,
        )
        save_results(study, cell, results)
    return root, cell.cell_id, study


def _configure(source: Path, base: Path) -> "StudyConfig":
    from schemas.overrides import apply_overrides
    from schemas.profiles import build_config, load_profile

    small = ("split.method=hashed", "split.train_per_class=16", "split.test_per_class=10")
    own = (f"data.source={source}", f"base_model.name={base}", "lora.r=8", "split.validation_per_class=4")
    grid = ("grid.learning_rates=1e-2", "grid.epochs=2")
    return build_config(apply_overrides(load_profile("demo"), [*own, *small, *grid]))
