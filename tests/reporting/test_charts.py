"""Charts draw lines that coincide and cells that share a training as one, and no line from few headlines."""

import re
from itertools import pairwise

import pytest

from reporting.charts.confidence import draw_calibration
from reporting.charts.curves import best_lines, draw_epochs, draw_loss
from reporting.charts.layout import NARROW, WIDE, Layout
from reporting.charts.lines import Line, merge_lines
from reporting.charts.overview import draw_overview
from reporting.figures import _describe_intervals
from reporting.text import join_names
from reporting.theme import to_svg
from schemas.report import Table


def test_lines_that_coincide_are_one_with_all_their_names() -> None:
    lines = [Line(("a",), (1, 2), (0.5, 0.6)), Line(("b",), (1, 2), (0.505, 0.6)), Line(("c",), (1, 2), (0.5, 0.7))]
    assert [line.names for line in merge_lines(lines)] == [("a", "b"), ("c",)]
    assert [line.names for line in merge_lines([lines[0], Line(("d",), (1, 3), (0.5, 0.6))])] == [("a",), ("d",)]


def test_names_that_differ_in_one_setting_are_joined_there() -> None:
    assert join_names(["lr=1e-03 epochs=1 r=4", "lr=1e-03 epochs=3 r=4"]) == "lr=1e-03 epochs=1, 3 r=4"
    assert join_names(["base: tiny", "lr=1e-03 epochs=3"]) == "base: tiny; lr=1e-03 epochs=3"
    assert join_names(["r=4"]) == "r=4"


def test_the_base_is_shown_however_many_cells_are_better() -> None:
    rows = [(f"cell {n}", t, 0.5 + n / 30, "fine-tuned", f"{n}") for n in range(9) for t in (0.1, 1.0)]
    rows += [("base: tiny", t, 0.1, "base", "base") for t in (0.1, 1.0)]
    columns = ("cell_name", "temperature", "expected_accuracy", "kind", "cell_id")
    lines = best_lines(Table("", columns, rows), ["0"], "8")
    assert [line.names for line in lines if line.is_base] == [("base: tiny",)]
    assert ("cell 0",) in [line.names for line in lines]
    assert ("chosen: cell 8",) in [line.names for line in lines]


def test_cells_that_share_a_training_are_one_line_with_a_mark_at_each_end() -> None:
    loss = Table(
        "", ("cell_name", "step", "loss", "cell_id"), [("epochs=3", step, 1 / step, "b") for step in (1, 2, 3)]
    )
    columns = ("training_cell_id", "cell_name", "steps", "cell_id")
    trainings = Table("", columns, [("b", "epochs=1", 1, "a"), ("b", "epochs=3", 3, "b")])
    figure = draw_loss(loss, trainings, "b", WIDE, "Training loss")
    [axes] = figure.axes
    [line] = axes.lines
    assert line.get_label() == "epochs=1, 3"
    assert line.get_markevery() == [0, 2]


def test_trainings_are_told_apart_by_their_dashes_too() -> None:
    rows = [(name, step, 1.0, name) for name in "abc" for step in (1, 2)]
    trainings = Table(
        "", ("training_cell_id", "cell_name", "steps", "cell_id"), [(name, name, 2, name) for name in "abc"]
    )
    loss = Table("", ("cell_name", "step", "loss", "cell_id"), rows)
    [axes] = draw_loss(loss, trainings, "a", WIDE, "Training loss").axes
    assert len({(line.get_linestyle(), str(line._dash_pattern), line.get_marker()) for line in axes.lines}) == 3


def test_a_cell_that_ends_after_the_last_loss_is_marked_there() -> None:
    loss = Table("", ("cell_name", "step", "loss", "cell_id"), [("r=1", 1, 1.0, "a"), ("r=1", 2, 0.5, "a")])
    trainings = Table("", ("training_cell_id", "cell_name", "steps", "cell_id"), [("a", "r=1", 9, "a")])
    [axes] = draw_loss(loss, trainings, "a", WIDE, "Training loss").axes
    assert axes.lines[0].get_markevery() == [1]


def test_a_training_that_diverged_ends_at_its_last_loss() -> None:
    losses = [(1, 1.0), (2, 7.0), (3, None)]
    loss = Table("", ("cell_name", "step", "loss", "cell_id"), [("r=1", *each, "a") for each in losses])
    trainings = Table("", ("training_cell_id", "cell_name", "steps", "cell_id"), [("a", "r=1", None, "a")])
    [axes] = draw_loss(loss, trainings, "a", WIDE, "Training loss").axes
    assert axes.lines[0].get_markevery() == [1]


@pytest.mark.parametrize(
    ("losses", "labels"),
    [((1.15, 1.05), {"1.06", "1.14"}), ((4.0, 0.9), {"1", "2", "3"}), ((60.0, 0.5), {"1", "10"})],
)
def test_a_logarithmic_axis_has_at_least_two_values(losses: tuple[float, ...], labels: set[str]) -> None:
    loss = Table("", ("cell_name", "step", "loss", "cell_id"), [("r=1", *each, "a") for each in enumerate(losses, 1)])
    trainings = Table("", ("training_cell_id", "cell_name", "steps", "cell_id"), [("a", "r=1", 2, "a")])
    figure = draw_loss(loss, trainings, "a", WIDE, "Training loss")
    figure.draw_without_rendering()
    [axes] = figure.axes
    assert labels <= {label.get_text() for label in axes.get_yticklabels(which="both")}


def test_every_bin_has_an_interval_and_no_line_leads_to_one_with_few_headlines() -> None:
    columns = ("temperature", "confidence_low", "mean_confidence", "accuracy", "accuracy_low", "accuracy_high", "n")
    rows = [(1.0, 0.5, 0.5, 0.5, 0.4, 0.6, n) for n in (30, 29, 300, 400)]
    [axes] = draw_calibration(Table("", columns, rows), WIDE, "Reliability").axes
    diagonal, *drawn = axes.lines
    marks = [line for line in drawn if line.get_marker() not in {"None", "", "_"} and len(line.get_xdata()) == 1]
    assert [mark.get_markerfacecolor() == "none" for mark in marks] == [False, True, False, False]
    joins = [line for line in drawn if len(line.get_xdata()) == 2 and line is not diagonal]
    assert len(joins) == 1  # between 300 and 400
    assert len(axes.containers) == 4


@pytest.mark.parametrize("layout", [WIDE, NARROW])
@pytest.mark.parametrize("panels", [1, 3, 4, 5])
def test_each_column_of_reliability_panels_has_numbers_below_it(panels: int, layout: Layout) -> None:
    columns = ("temperature", "confidence_low", "mean_confidence", "accuracy", "accuracy_low", "accuracy_high", "n")
    rows = [(float(panel), 0.5, 0.5, 0.5, 0.4, 0.6, 40) for panel in range(panels)]
    figure = draw_calibration(Table("", columns, rows), layout, "Reliability")
    figure.draw_without_rendering()
    shown = [axes for axes in figure.axes if axes.get_visible()]
    across = 1 if layout is NARROW else min(panels, 3)
    numbered = [any(label.get_visible() for label in axes.get_xticklabels()) for axes in shown]
    assert numbered == [place + across >= panels for place in range(panels)]


def test_the_counts_of_bins_stand_above_all_that_is_drawn_and_beside_each_other() -> None:
    columns = ("temperature", "confidence_low", "mean_confidence", "accuracy", "accuracy_low", "accuracy_high", "n")
    rows = [
        (1.0, 0.6, 0.7, 1.0, 0.4, 1.0, 1_499),  # a mean that was rounded to the bin above
        (1.0, 0.7, 0.7, 1.0, 0.4, 1.0, 999),
        (1.0, 0.8, 0.81, 0.0, 0.0, 0.6, 12_345),
        (1.0, 0.9, 1.0, 0.9, 0.8, 1.0, 999_600),
    ]
    figure = draw_calibration(Table("", columns, rows), WIDE, "Reliability")
    figure.draw_without_rendering()
    [axes] = figure.axes
    boxes = [text.get_window_extent() for text in axes.texts]
    assert [text.get_text() for text in axes.texts] == ["1.5k", "999", "12k", "1.0M"]
    assert all(before.x1 < after.x0 for before, after in pairwise(boxes))
    top = axes.transData.transform((0, 1))[1]
    assert min(box.y0 for box in boxes) > top + 3
    assert axes.get_ylim()[0] < 0  # a mark at 0 is whole


def test_lines_of_a_narrow_overview_leave_names_and_figures_free() -> None:
    row = {"kind": "baseline", "cell_name": "baseline: TF-IDF + linear SVM", "cell_id": "a", "accuracy": 0.93}
    rows = [{**row, "accuracy_low": 0.9, "accuracy_high": 0.95} for _ in range(3)]
    figure = draw_overview(rows, {}, NARROW, "Accuracy", 0.93, 1 / 3)
    figure.draw_without_rendering()
    [axes] = figure.axes
    lines = [line for line in axes.lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2]
    spans = [axes.transData.transform([(0, y) for y in line.get_ydata()])[:, 1] for line in lines]
    assert len(lines) == 6
    for text in axes.texts:
        box = text.get_window_extent()
        assert not any(min(span) < box.y1 and max(span) > box.y0 for span in spans)


def test_points_of_different_temperatures_are_side_by_side() -> None:
    columns = ("temperature", "epochs", "accuracy", "accuracy_low", "accuracy_high")
    rows = [(t, epochs, 0.9, 0.8, 0.95) for t in (0.1, 1.0) for epochs in (1, 3)]
    [axes] = draw_epochs(Table("", columns, rows), None, "accuracy", NARROW, "Accuracy").axes
    places = [tuple(bars.lines[0].get_xdata()) for bars in axes.containers]
    assert places[0] != places[1]


def test_a_chart_has_text_of_a_readable_size_on_a_phone() -> None:
    columns = ("temperature", "epochs", "accuracy", "accuracy_low", "accuracy_high")
    table = Table("", columns, [(0.1, 1, 0.9, 0.8, 1.0), (0.1, 2, 0.9, 0.8, 1.0)])
    figure = draw_epochs(table, None, "accuracy", NARROW, "A")
    svg = to_svg(figure, "a")
    [points] = re.findall(r'viewBox="0 0 ([\d.]+)', svg)
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: ([\d.]+)px", svg)]
    assert min(sizes) * 350 / float(points) > 10  # pixels on a screen of 390


def test_the_caption_of_several_seeds_says_that_bars_are_no_interval() -> None:
    assert _describe_intervals(1) == "95 % intervals"
    assert _describe_intervals(3) == "the mean over seeds and the range that covers their 95 % intervals"
