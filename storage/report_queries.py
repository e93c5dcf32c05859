"""The queries behind each figure of a study's report, as text that the page can show."""

from collections.abc import Sequence

from schemas.report import Chosen, Contender
from storage.contender_queries import at_chosen, contender_queries, listed
from storage.market_queries import market_queries
from storage.order import LEADERBOARD_ORDER, PART_ORDER
from storage.period_queries import period_query

LOSS_POINTS = 50
"""Most points of a training's loss curve: a point is the mean of the steps around it."""
MOST_HEADLINES = 10
"""Most headlines of each table of headlines."""
THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Confidences of the table of what acting only on surer answers brings; 0 stands for every answer."""

_FIGURES = "accuracy, accuracy_low, accuracy_high, macro_f1, macro_f1_low, macro_f1_high"
_NAMED = "JOIN ledger.places USING (study_id, cell_id)"


def report_queries(study_id: str, chosen: Chosen, contenders: Sequence[Contender], act_at: float) -> dict[str, str]:
    """Each query by the name of its result.

    Args:
        study_id: The study.
        chosen: The cell that validation chose.
        contenders: The contenders that the report compares.
        act_at: Confidence from which the desk acts on an answer, in hundredths.
    """
    return {
        **_figures(study_id, chosen, contenders),
        **_curves(study_id, chosen),
        **_confidence(study_id, chosen, act_at),
        **_desk(study_id, chosen),
        **contender_queries(study_id, chosen, contenders),
        "periods": period_query(study_id, chosen, contenders),
        **_account(study_id, chosen),
        **market_queries(chosen),
    }


def _on_test(study_id: str) -> str:
    return f"study_id = '{study_id}' AND part = 'test'"


def _best(study_id: str, chosen: Chosen) -> str:
    return f"{_on_test(study_id)} AND cell_id = '{chosen.cell_id}'"


def _figures(study_id: str, chosen: Chosen, contenders: Sequence[Contender]) -> dict[str, str]:
    test = _on_test(study_id)
    compared = listed([chosen.cell_id, *(contender.cell_id for contender in contenders)])
    return {
        "leaderboard": (
            f"SELECT cell_name, kind, model, learning_rate, epochs, seed, temperature, n, {_FIGURES}, "
            "expected_accuracy, balanced_accuracy, unparsed_rate, is_champion, cell_id FROM leaderboard LEFT JOIN "
            f"(SELECT cell_id, temperature, balanced_accuracy FROM model_selection WHERE study_id = '{study_id}') "
            f"USING (cell_id, temperature) WHERE {test} ORDER BY {LEADERBOARD_ORDER}"
        ),
        "abbreviated": (
            f"SELECT DISTINCT cell_name, settings FROM leaderboard WHERE {test} AND kind = 'fine-tuned' AND "
            "regexp_matches(cell_name, '=#[0-9]') ORDER BY cell_name"
        ),
        "bases": (
            "SELECT DISTINCT model, base_revision, hyperparameters->>'$.base_model.quantization' AS quantization FROM "
            f"study_cells JOIN cells USING (cell_id) WHERE study_id = '{study_id}' AND kind <> 'baseline' ORDER BY ALL"
        ),
        "prompts": (
            "SELECT cell_name, kind, shown, n, accuracy, plain_accuracy, difference, difference_low, difference_high, "
            f"p_value, p_holm, pairs, cell_id, plain_cell_id FROM prompt_effects {_NAMED} WHERE {test} AND "
            f"temperature = {chosen.temperature:g} ORDER BY shown DESC, place"
        ),
        "dropped": (
            "SELECT cell_name, epoch, accuracy, best_accuracy, best_cell_name, n, p_value, bound, cell_id FROM "
            f"dropped_cells WHERE study_id = '{study_id}'"
        ),
        "reproduction": (
            "SELECT kind, learning_rate, epochs, temperature, cell_name, published_accuracy, measured_accuracy, "
            "accuracy_difference, accuracy_in_interval, published_macro_f1, measured_macro_f1, macro_f1_difference, "
            f"macro_f1_in_interval FROM reproduction WHERE study_id = '{study_id}' ORDER BY ALL"
        ),
        "ladder": (
            f"SELECT rung, cell_name, kind, {_FIGURES}, mcc, headlines_per_second, size_bytes, train_seconds, "
            f"cell_id FROM ladder WHERE {test} AND {at_chosen(chosen)} AND (kind <> 'fine-tuned' OR is_best_of_base OR "
            f"cell_id = '{chosen.cell_id}') ORDER BY rung"
        ),
        "folds": (
            "SELECT cell_name, temperature, folds, accuracy_mean, accuracy_sd, accuracy_min, accuracy_max, "
            f"macro_f1_mean, macro_f1_sd, cell_id FROM leaderboard_over_folds {_NAMED} WHERE study_id = '{study_id}' "
            f"AND {at_chosen(chosen)} ORDER BY place"
        ),
        "agreement": (
            f"SELECT name AS cell_name, agreement, n, {_FIGURES}, cell_id FROM accuracy_by_agreement {_NAMED} "
            f"WHERE {test} AND {at_chosen(chosen)} AND cell_id IN {compared} "
            f"ORDER BY cell_id <> '{chosen.cell_id}', place, least_agreement"
        ),
        "confusion": (
            f"SELECT name AS cell_name, kind, cell_id, label, predicted, n, share FROM confusion {_NAMED} JOIN cells "
            f"USING (cell_id) WHERE {test} AND {at_chosen(chosen)} AND cell_id IN {compared} "
            "ORDER BY list_position(['fine-tuned', 'base', 'baseline'], kind), "
            f"cell_id <> '{chosen.cell_id}', place, label, predicted"
        ),
    }


def _curves(study_id: str, chosen: Chosen) -> dict[str, str]:
    test, of_chosen = _on_test(study_id), f"study_id = '{study_id}' AND cell_id = '{chosen.cell_id}'"
    return {
        "epochs": (
            "SELECT temperature, epochs, count(*) AS seeds, avg(accuracy) AS accuracy, min(accuracy_low) AS "
            "accuracy_low, max(accuracy_high) AS accuracy_high, avg(macro_f1) AS macro_f1, min(macro_f1_low) AS "
            "macro_f1_low, max(macro_f1_high) AS macro_f1_high FROM epoch_curve WHERE "
            f"study_id = '{study_id}' AND settings_but_course(settings) = (SELECT settings_but_course(settings) FROM "
            f"epoch_curve WHERE {of_chosen} LIMIT 1) AND learning_rate = (SELECT learning_rate FROM epoch_curve WHERE "
            f"{of_chosen} LIMIT 1) GROUP BY ALL ORDER BY ALL"
        ),
        "published": (
            "SELECT epochs, temperature, accuracy, macro_f1 FROM published_results WHERE accuracy = (SELECT "
            "max(accuracy) FROM published_results)"
        ),
        "temperatures": (
            "SELECT name AS cell_name, temperature, expected_accuracy, kind, cell_id FROM (SELECT study_id, cell_id, "
            f"temperature, expected_accuracy FROM temperature_curve WHERE {test} UNION SELECT study_id, cell_id, "
            f"temperature, expected_accuracy FROM leaderboard WHERE {test} AND temperature NOT IN (SELECT temperature "
            f"FROM temperature_curve WHERE {test})) {_NAMED} JOIN cells USING (cell_id) WHERE temperature IS NOT NULL "
            "ORDER BY place, temperature"
        ),
        "trainings": (
            "SELECT training_cell_id, name AS cell_name, steps, cell_id FROM ledger.trainings "
            f"WHERE study_id = '{study_id}' ORDER BY position"
        ),
        "loss": (
            "SELECT any_value(name) AS cell_name, max(step) AS step, avg(loss) AS loss, cell_id FROM training_log "
            "JOIN ledger.trainings USING (cell_id) "
            f"WHERE study_id = '{study_id}' AND cell_id = training_cell_id GROUP BY cell_id, position, "
            f"step // greatest(steps // {LOSS_POINTS}, 1) ORDER BY position, max(step)"
        ),
    }


def _confidence(study_id: str, chosen: Chosen, act_at: float) -> dict[str, str]:
    best = _best(study_id, chosen)
    wanted = ", ".join(f"{threshold:g}" for threshold in sorted({*THRESHOLDS, act_at}))
    return {
        "acting": (
            "SELECT threshold, n, coverage, accuracy, accuracy_low, accuracy_high FROM acting "
            f"WHERE {best} AND temperature = {chosen.temperature:g} AND threshold IN ({wanted}) ORDER BY threshold"
        ),
        "calibration": (
            "SELECT temperature, confidence_low, mean_confidence, accuracy, accuracy_low, accuracy_high, n, gap FROM "
            f"calibration WHERE {best} ORDER BY temperature, bin"
        ),
        "calibration_summary": (
            "SELECT temperature, expected_calibration_error, brier_score, log_loss FROM calibration_summary "
            f"WHERE {best} ORDER BY temperature"
        ),
        "coverage": f"SELECT temperature, coverage, accuracy, threshold FROM coverage WHERE {best} ORDER BY ALL",
    }


def _desk(study_id: str, chosen: Chosen) -> dict[str, str]:
    best = _best(study_id, chosen)
    settings = (
        "(SELECT settings_but_seed(with_base(hyperparameters, base_revision)) FROM cells WHERE cell_id = "
        f"'{chosen.cell_id}')"
    )
    return {
        "seeds": (
            "SELECT seeds, accuracy_mean, accuracy_sd, accuracy_min, accuracy_max FROM leaderboard_over_seeds WHERE "
            f"{_on_test(study_id)} AND temperature = {chosen.temperature:g} AND settings = {settings}"
        ),
        "speed": (
            "SELECT headlines_per_second, n, seconds FROM evaluations JOIN ledger.study_evaluations USING "
            f"(evaluation_id) WHERE {best} AND temperature = {chosen.temperature:g}"
        ),
        "approvals": (
            "SELECT decided_at, decision, decided_by, cell_id, reason, person FROM champions "
            f"WHERE study_id = '{study_id}' OR cell_id = '{chosen.cell_id}' ORDER BY number"
        ),
        "drops": (
            "SELECT found_at, temperature, n, accuracy, reference, test_accuracy, p_value FROM accuracy_drops WHERE "
            f"cell_id = '{chosen.cell_id}' ORDER BY found_at"
        ),
        "mistakes": (
            "SELECT text, predictions.label, CASE WHEN argmax_parsed IS FALSE THEN 'unparsed' ELSE answered_label("
            "p_negative, p_neutral, p_positive, p_unparsed, 'neutral') END AS predicted, confidence, temperature FROM "
            "predictions JOIN ledger.answers USING (study_id, cell_id, part, temperature, headline_id) JOIN headlines "
            f"USING (headline_id) WHERE {best} AND temperature = (SELECT arg_min(temperature, abs(ln(temperature))) "
            f"FROM leaderboard WHERE {best}) AND NOT is_right ORDER BY confidence DESC, text LIMIT {MOST_HEADLINES}"
        ),
    }


def _account(study_id: str, chosen: Chosen) -> dict[str, str]:
    split = f"(SELECT split_id FROM studies WHERE study_id = '{study_id}')"
    return {
        "cost": (
            "SELECT name AS cell_name, cells.status, steps, first_step, train_seconds, "
            "examples_per_second, tokens_per_second, peak_memory_bytes / 1e9 AS peak_memory_gb, (SELECT sum(seconds) "
            "FROM (SELECT DISTINCT part, seconds FROM evaluations WHERE evaluations.cell_id = cells.cell_id AND "
            "evaluations.split_id = cells.split_id)) AS score_seconds FROM cells JOIN study_cells USING (cell_id) "
            f"WHERE study_id = '{study_id}' ORDER BY position"
        ),
        "environment": (
            "SELECT DISTINCT unnest(json_keys(environment)) AS what, environment->>what AS value FROM cells "
            f"WHERE cell_id = '{chosen.cell_id}' ORDER BY what"
        ),
        "leaks": (
            "SELECT count(*) AS groups, coalesce(sum(in_test), 0)::BIGINT AS in_test, coalesce(sum(in_train), "
            f"0)::BIGINT AS in_train FROM split_leaks WHERE in_train > 0 AND split_id = {split}"
        ),
        "cutoffs": cutoffs_query(study_id),
        "fold_sizes": (
            "SELECT fold, count(*) FILTER (part = 'train') AS train, count(*) FILTER (part = 'validation') AS "
            "validation, count(*) FILTER (part = 'test') AS test FROM split_folds JOIN splits ON "
            f"splits.split_id = fold_split_id WHERE split_folds.split_id = {split} GROUP BY fold ORDER BY fold"
        ),
        "split": (
            "SELECT part, label, count(*) AS headlines FROM ledger.split_parts JOIN headlines USING (headline_id) "
            f"WHERE split_id = {split} GROUP BY part, label ORDER BY {PART_ORDER}, label"
        ),
    }


def cutoffs_query(study_id: str) -> str:
    """A row for each base model whose last day of training is known: test headlines up to that day, and all."""
    return (
        "SELECT model, trained_until, count(*) FILTER (published_at::DATE <= trained_until) AS read, count(*) AS n "
        "FROM (SELECT DISTINCT studies.split_id, model, trained_until FROM studies JOIN study_cells USING (study_id) "
        f"JOIN cells USING (cell_id) WHERE study_id = '{study_id}' AND trained_until IS NOT NULL) "
        "JOIN ledger.split_parts USING (split_id) JOIN headlines USING (headline_id) WHERE part = 'test' "
        "GROUP BY model, trained_until ORDER BY model, trained_until"
    )
