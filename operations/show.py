"""Shows what an id names, with queries to run next, for `fintone show`. Runs without Prefect and torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operations.homes import home_to_read
from operations.judged import describe_answering, load_judged
from operations.missing import NothingTrainedError, find_best
from reporting.fresh import describe_found_drop
from reporting.promotion import describe_champion, describe_decision, describe_repeats_unjudged
from schemas.disk import count_bytes, format_bytes
from schemas.promotion import CHAMPION
from storage.accuracy_drops import load_champion_drop
from storage.cells import load_cell, load_trained
from storage.champions import load_champion, load_decision
from storage.examples import cell_queries, data_queries, example_queries
from storage.facts import load_facts, load_row
from storage.folds import load_repeats
from storage.home import Home
from storage.lookup import Entry, find_entry

if TYPE_CHECKING:
    from schemas.promotion import Champion

Facts = dict[str, Any]
Tables = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Shown:
    """What an id names: its facts, tables of rows, and commands that show more."""

    entry: Entry
    facts: Facts
    tables: Tables
    commands: tuple[str, ...] = ()


def show(text: str) -> Shown:
    """Find what a text names, and collect what is known about it.

    Args:
        text: An id of any kind, the beginning of one, the name of a study or a cell, or `champion`.

    Raises:
        InputError: It names nothing, or several things.
    """
    home = home_to_read()
    entry = find_entry(home.warehouse, text)
    functions = {"study": _show_study, "cell": _show_cell, CHAMPION: _show_champion, "snapshot": _show_snapshot}
    return functions.get(entry.kind, _show_row)(home, entry)


def _show_study(home: "Home", entry: Entry) -> Shown:
    study_id = entry.identifier
    facts, tables = load_facts(home.warehouse, entry)
    commands = []
    try:
        best = find_best(home.warehouse, study_id)
    except NothingTrainedError:
        facts["best_on_validation"] = None
    else:
        commands.append(f"fintone report --study {study_id}")
        cell_id, temperature = best.cell_id, best.temperature
        facts["best_on_validation"] = f"cell {cell_id} ({best.name}) at temperature {temperature:g}"
        queries = example_queries(study_id, cell_id, temperature)
        commands += [f"fintone show {cell_id}", *_as_commands(queries)]
    decision = load_decision(home.warehouse, study_id)
    repeats = load_repeats(home.warehouse, study_id)
    unjudged = describe_repeats_unjudged(repeats) if repeats else "not judged yet"
    facts["gate"] = f"{describe_decision(decision)}: {decision['reason']}" if decision else unjudged
    facts["champion_now"] = describe_champion(load_champion(home.warehouse))
    page = home.report(study_id)
    facts["report"] = str(page) if page.exists() else None
    adapters = map(home.adapter, load_trained(home.warehouse, study_id))
    facts["size"] = format_bytes(sum(map(count_bytes, [page.parent, *adapters])))
    return Shown(entry, facts, tables, tuple(commands))


def _show_cell(home: "Home", entry: Entry) -> Shown:
    cell_id = entry.identifier
    facts, tables = load_facts(home.warehouse, entry)
    cell, champion = load_cell(home.warehouse, cell_id), load_champion(home.warehouse)
    facts["champion_now"] = bool(champion and champion.cell_id == cell_id)
    facts["settings"] = {name: value for name, value in cell.record.hyperparameters.items() if name != "version"}
    facts["machine"] = cell.outcome.environment if cell.outcome else None
    commands = [
        f"fintone compare {cell_id} {row['baseline_cell']}" for row in tables.get("against_the_best_baseline", [])
    ]
    folder = home.adapter(cell_id)
    if folder.is_dir():
        facts |= {"adapter": str(folder), "size": format_bytes(count_bytes(folder))}
        commands += [] if cell.answers_nothing else [f"fintone export {cell_id} --output FOLDER"]
        commands += [] if cell.answers_nothing or facts["champion_now"] else [f"fintone promote {cell_id} --reason WHY"]
    studies = tables.get("studies", [])
    is_trained = cell.record.kind == "fine-tuned"
    queries = cell_queries(studies[0]["study"], cell_id, is_trained=is_trained) if studies else []
    return Shown(entry, facts, tables, (*dict.fromkeys(commands), *_as_commands(queries)))


def _show_champion(home: "Home", entry: Entry) -> Shown:
    """The champion is shown as the cell that it is, with the temperature at which it is used."""
    shown = _show_cell(home, entry._replace(kind="cell"))
    champion = load_champion(home.warehouse)
    drop = load_champion_drop(home.warehouse, champion) if champion else None
    facts = {
        "champion": describe_champion(champion),
        "answers": _describe_answers(home, champion),
        **({"accuracy_dropped": f"{describe_found_drop(drop)} Train again: fintone run"} if drop else {}),
        **shown.facts,
    }
    return Shown(entry, facts, shown.tables, ("fintone list champions", *shown.commands))


def _describe_answers(home: "Home", champion: "Champion | None") -> str | None:
    """At which temperature the champion answers new headlines, and how good it was there."""
    if champion is None:
        return None
    return describe_answering(champion.temperature, champion.temperature, load_judged(home.warehouse, champion))


def _show_snapshot(home: "Home", entry: Entry) -> Shown:
    facts, tables = load_facts(home.warehouse, entry)
    ingested = tables.get("sources", [])
    queries = _list_data_queries(home, ingested[0]["ingestion"]) if ingested else []
    return Shown(entry, facts, tables, tuple(_as_commands(queries)))


def _list_data_queries(home: "Home", ingest_id: str) -> list[str]:
    """The queries that `fintone ingest` lists, without those that return no rows."""
    from storage.data_report import load_data_report

    report = load_data_report(home.warehouse, ingest_id)
    return [query for _, query in data_queries(report)]


def _show_row(home: "Home", entry: Entry) -> Shown:
    """Anything else is shown as its row; the ids in it can be shown in turn."""
    facts = load_row(home.warehouse, entry)
    others = [str(facts[name]) for name in ("cell_id", "study_id", "snapshot_id") if facts.get(name)]
    return Shown(entry, facts, {}, tuple(f"fintone show {other}" for other in others))


def _as_commands(queries: list[str]) -> list[str]:
    return [f'fintone sql "{query}"' for query in queries]
