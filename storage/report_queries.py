"""The queries behind each figure of a study's report, as text that the page can show."""

from schemas.report import Chosen
from storage.order import LEADERBOARD_ORDER, PART_ORDER

LOSS_POINTS = 50
"""Most points of a cell's loss curve: a point is the mean of the steps around it."""
MOST_HEADLINES = 10

_FIGURES = "accuracy, accuracy_low, accuracy_high, macro_f1, macro_f1_low, macro_f1_high"
_NAMED = "JOIN ledger.places USING (study_id, cell_id)"


def report_queries(study_id: str, chosen: Chosen) -> dict[str, str]:
    """Each query by the name of its result, for a study and the cell that validation chose."""
    own = f"study_id = '{study_id}' AND part = 'test'"
    best = f"{own} AND cell_id = '{chosen.cell_id}'"
    of_chosen = f"study_id = '{study_id}' AND cell_id = '{chosen.cell_id}'"
    at = f"(temperature = {chosen.temperature:g} OR temperature IS NULL)"
    return {
        "leaderboard": (
            f"SELECT cell_name, kind, model, learning_rate, epochs, seed, temperature, n, {_FIGURES}, "
            f"expected_accuracy, unparsed_rate, is_champion, cell_id FROM leaderboard WHERE {own} "
            f"ORDER BY {LEADERBOARD_ORDER}"
        ),
        "reproduction": (
            "SELECT kind, learning_rate, epochs, temperature, cell_name, published_accuracy, measured_accuracy, "
            "accuracy_difference, accuracy_in_interval, published_macro_f1, measured_macro_f1, macro_f1_difference, "
            f"macro_f1_in_interval FROM reproduction WHERE study_id = '{study_id}' ORDER BY ALL"
        ),
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
        "confusion": (
            f"SELECT name AS cell_name, kind, cell_id, label, predicted, n, share FROM confusion {_NAMED} JOIN cells "
            "USING (cell_id) "
            f"WHERE {own} AND {at} AND (cell_id = '{chosen.cell_id}' OR kind = 'base' OR cell_id = (SELECT "
            f"baseline_cell_id FROM baseline_verdicts WHERE {best} LIMIT 1)) "
            "ORDER BY list_position(['fine-tuned', 'base', 'baseline'], kind), place, label, predicted"
        ),
        "calibration": (
            "SELECT temperature, mean_confidence, accuracy, n, gap FROM calibration "
            f"WHERE {best} ORDER BY temperature, bin"
        ),
        "calibration_summary": (
            "SELECT temperature, expected_calibration_error, brier_score, log_loss FROM calibration_summary "
            f"WHERE {best} ORDER BY temperature"
        ),
        "coverage": f"SELECT temperature, coverage, accuracy, threshold FROM coverage WHERE {best} ORDER BY ALL",
        "temperatures": (
            "SELECT name AS cell_name, temperature, expected_accuracy FROM (SELECT study_id, cell_id, temperature, "
            f"expected_accuracy FROM temperature_curve WHERE {own} UNION SELECT study_id, cell_id, temperature, "
            f"expected_accuracy FROM leaderboard WHERE {own} AND temperature NOT IN (SELECT temperature FROM "
            f"temperature_curve WHERE {own})) {_NAMED} WHERE temperature IS NOT NULL ORDER BY place, temperature"
        ),
        "loss": (
            "SELECT name AS cell_name, max(step) AS step, avg(loss) AS loss FROM training_log "
            "JOIN cells USING (cell_id) JOIN study_cells USING (cell_id) "
            f"WHERE study_id = '{study_id}' GROUP BY cell_id, name, position, "
            f"step // greatest(steps // {LOSS_POINTS}, 1) ORDER BY position, max(step)"
        ),
        "disagreements": (
            "SELECT text, any_value(predictions.label) AS label, count(*) FILTER (predicted = 'negative') AS negative, "
            "count(*) FILTER (predicted = 'neutral') AS neutral, count(*) FILTER (predicted = 'positive') AS positive "
            f"FROM predictions JOIN headlines USING (headline_id) JOIN cells USING (cell_id) WHERE {own} AND {at} "
            "AND kind <> 'base' GROUP BY headline_id, text ORDER BY greatest(negative, neutral, positive), text "
            f"LIMIT {MOST_HEADLINES}"
        ),
        "mistakes": (
            "SELECT text, predictions.label, CASE WHEN argmax_parsed IS FALSE THEN 'unparsed' ELSE argmax END AS "
            "predicted, greatest(p_negative, p_neutral, p_positive) AS confidence FROM predictions JOIN headlines "
            f"USING (headline_id) WHERE {best} AND temperature = (SELECT arg_min(temperature, abs(ln(temperature))) "
            f"FROM leaderboard WHERE {best}) AND argmax <> predictions.label ORDER BY confidence DESC, text "
            f"LIMIT {MOST_HEADLINES}"
        ),
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
            "0)::BIGINT AS in_train FROM split_leaks WHERE in_train > 0 AND split_id = "
            f"(SELECT split_id FROM studies WHERE study_id = '{study_id}')"
        ),
        "split": (
            "SELECT part, label, count(*) AS headlines FROM splits JOIN headlines USING (headline_id) WHERE split_id = "
            f"(SELECT split_id FROM studies WHERE study_id = '{study_id}') GROUP BY part, label "
            f"ORDER BY {PART_ORDER}, label"
        ),
    }
