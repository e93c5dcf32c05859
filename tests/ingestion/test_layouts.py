"""Lines of a table are never taken for headlines, and lines of running text never for a table."""

import csv
import io
import os
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestion.columns import MissingColumnError
from ingestion.formats import read_content
from ingestion.streams import open_stream
from schemas.columns import ReadColumns
from schemas.errors import InputError
from schemas.source import UnlabelledSettings
from tests.examples import examples

TWO_WORDS = """News Title,Publication Date,Ticker Symbol
"Northgate lifts full-year guidance, shares up 4 %",2025-03-03,NGT
Fenwick Mills warns on input costs,2025-03-04,FWM
Castell to hold annual meeting in June,2025-03-05,CST
"""


def read(content, **options):
    content = content if isinstance(content, bytes) else content.encode()
    found = read_content(content, "news", UnlabelledSettings(source="news", **options))
    return found.kind, [row.text for row in found.rows]


def stream(content, **options):
    content = content if isinstance(content, bytes) else content.encode()
    found = open_stream(io.BufferedReader(io.BytesIO(content)), UnlabelledSettings(source="-", **options))
    return found.kind, [row.text for row in found.rows]


def pipe(content, **options):
    """The lines as a program writes them to a pipe, the first one by itself."""
    content = content if isinstance(content, bytes) else content.encode()
    inlet, outlet = os.pipe()
    with os.fdopen(inlet, "rb") as source, os.fdopen(outlet, "wb", buffering=0) as sink:
        first, end, rest = content.partition(b"\n")
        sink.write(first + end)
        sink.write(rest)
        sink.close()
        found = open_stream(source, UnlabelledSettings(source="-", **options))
        return found.kind, [row.text for row in found.rows]


every_way = pytest.mark.parametrize("how", [read, stream, pipe])

TABLES = {
    "two words in a name": TWO_WORDS,
    "semicolons": TWO_WORDS.replace(",", ";"),
    "tabs": "Kop van het bericht\tDatum\nWinst stijgt flink\t3 maart\nOmzet daalt, maar niet veel\t4 maart\n",
    "bars": "Kop | Datum | Bron\nWinst stijgt | 3 maart | ANP\nOmzet daalt | 4 maart | ANP\n",
    "a header alone": "News Title,Publication Date\n",
    "a header of words": "nr,kop,datum\n",
    "names with a space after the comma": "nr, kop, datum\n1, Winst stijgt flink, maart\n",
    "long names": "the headline as it was published,the day of it\nProfit rose,3 May\nAGM,4 May\n",
    "no header": "2025-03-03,Profit rose sharply today,NGT\n2025-03-04,Costs rose,FWM\n",
    "every field quoted": '"kop","datum"\n"Winst stijgt, omzet ook","3 maart"\n"AGM","4 maart"\n',
    "commas that nobody quoted": "datum,kop,aandeel\n3 maart,Winst stijgt, omzet ook,NGT\n4 maart,AGM,C\n",
    "texts over two lines": 'kop van dienst,datum\n"Winst\nstijgt",3 maart\n"Omzet\ndaalt",4 maart\n',
    "a line that breaks": "kop,datum\n" + "Winst stijgt flink,3 maart\n" * 20 + "halve regel\n",
    "titles above": "Uitvoer van maart\n\nkop,datum,aandeel\nWinst stijgt flink,3,NGT\nAGM,4,C\n",
    "a title that is a known name": "News\nkop,datum,aandeel\nWinst stijgt flink,3,NGT\nAGM,4,C\n",
    "a separator line": "sep=;\nkop;datum\nWinst stijgt, omzet ook;3 maart\n",
}  # fmt: skip


@every_way
@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "crlf"])
def test_a_table_of_unknown_names_is_refused_with_its_columns(how, name, encoding):
    content = TABLES[name].replace("\n", "\r\n") if encoding == "crlf" else TABLES[name]
    with pytest.raises(MissingColumnError, match=r"has no text column, its columns are .*name it with --text-column"):
        how(content.encode("utf-8" if encoding == "crlf" else encoding))


def test_the_error_lists_the_columns_and_suggests_one():
    with pytest.raises(MissingColumnError) as caught:
        read(TWO_WORDS)
    assert str(caught.value) == (
        "source 'news' has no text column, its columns are ['News Title', 'Publication Date', 'Ticker Symbol']: "
        "name it with --text-column, or use --source-format lines if each line is a headline; "
        "'News Title' may hold the text"
    )
    kind, texts = read(TWO_WORDS, text_column="news title")
    assert (kind, texts[0]) == ("csv", "Northgate lifts full-year guidance, shares up 4 %")


LINES = {
    "commas, now and then": ["Profit rose, sales fell", "AGM on 5 May", "Costs up, debt up, cash down"],
    "one line": ["Profit rose, sales fell"],
    "one line with figures": ["Profit rose to EUR 1,000 mn; sales fell"],
    "one line of single words": ["Profit, sales, dividends"],
    "one long line with a known word": ["Northgate raises its price target for the year,shares up"],
    "one line that begins with a known name": ["News, views and an outlook"],
    "a first line that begins with a known name": ["News, views and an outlook", "AGM on 5 May", "Profit, up, again"],
    "one line that begins with a label": ["Neutral, says Northgate"],
    "lines that begin with a label": ["Neutral, says Northgate", "AGM on 5 May", "Profit up"],
    "two lines with a comma each": ["Profit rose, sales fell", "Costs up, debt down"],
    "tokens apart": ["Profit rose , sales fell .", "Orders | up ; again ."],
    "a publisher after a bar": [f"{news} | Northgate Post" for news in ("Profit rose", "AGM on 5 May")] * 3,
    "a section and a publisher after bars": [
        f"{news} | {section} | Northgate Post"
        for news, section in (("Profit rose", "Companies"), ("AGM on 5 May", "Diary"), ("Costs up", "Markets"))
    ]
    * 3,
    "a bar in one": ["Profit rose | live", "AGM on 5 May"],
    "a tab in one": ["Profit rose\tsharply", "AGM on 5 May", "Costs up"],
    "entities": ["AT&amp;T cuts its outlook", "Marks &amp; Spencer names a head", "R&amp;D costs rise"],
    "figures": ["Up 1,000", "Down 2,000", "Flat at 3,000", "Up 4,000"],
    "cashtags": ["$AAPL,$MSFT rise on strong sales of phones", "$GOOG falls", "$TSLA, $F and $GM up"],
    "quotations": ['"We are confident", says Northgate', "AGM on 5 May", 'Head says "no"'],
    "an opening quotation mark": ['"Regulator holds fees, says ministry', "AGM on 5 May"],
    "other scripts": ["利润上升\uff0c销售下降", "成本上升"],
    "single words": ["Profit", "Costs", "AGM"],
    "colons and dashes": ["BRIEF: Profit rose - sources", "BRIEF: Costs up - sources"],
}


@every_way
@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_running_text_is_a_headline_a_line(how, name, end):
    assert how(end.join(LINES[name])) == ("lines", LINES[name])


ONE_COLUMN = ["Profit rose, sales fell", "AGM on 5 May; all welcome", 'Head says "no"', "Costs up\tdebt down"]


@every_way
@pytest.mark.parametrize("header", ["headline", "Text", '"title"', "news_headline"])
def test_a_single_column_with_a_known_name_is_read_whole(how, header):
    assert how("\n".join([header, *ONE_COLUMN])) == ("csv", ONE_COLUMN)


@every_way
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("header", [["headline"], []])
def test_a_single_column_as_programs_write_it_loses_its_quotes(how, quoting, header):
    file = io.StringIO()
    csv.writer(file, quoting=quoting).writerows([[text] for text in [*header, *ONE_COLUMN]])
    assert how(file.getvalue())[1] == ONE_COLUMN


@every_way
def test_a_stream_of_a_table_is_read_by_its_columns(how):
    rows = "\n".join(f'{number},"Profit rose, says unit {number}",3 May' for number in range(1_000))
    kind, texts = how(f"id,headline,date\n{rows}\n")
    assert (kind, len(texts), texts[-1]) == ("csv", 1_000, "Profit rose, says unit 999")


FOREIGN = {
    "is JSON that is neither": [
        '["Profit rose" and "AGM on 5 May"]\n',
        '{"Profit rose", "AGM on 5 May"}\n',
    ],
    "is no text": ["Profit\0rose\n"],
}  # fmt: skip


@every_way
@pytest.mark.parametrize("content", ['{"text": "Profit rose"\n', '{\n "data": [\n  {"text": "Profit rose"}\n'])
def test_truncated_json_is_reported_as_such(how, content):
    with pytest.raises(InputError, match=r"is JSON that is not valid from character .*, use --source-format lines if"):
        how(content)
    assert how(content, format="lines")[0] == "lines"


@every_way
@pytest.mark.parametrize(
    ("message", "content"), [(message, content) for message, contents in FOREIGN.items() for content in contents]
)
def test_a_text_of_another_kind_is_refused_by_name(how, message, content):
    with pytest.raises(
        InputError, match=f"{message}.*: save its headlines as CSV or a headline a line, or use --source-f"
    ):
        how(content)
    assert how(content, format="lines")[0] == "lines"


RULED = {
    "fintone sql": "label  kop van het bericht\n-----  ----------\nup     Winst stijgt\n(1 row)\n",
    "psql": " label | kop\n-------+------------\n up    | Winst stijgt\n",
    "Markdown": "| soort | kop |\n|---|:--|\n| up | Winst stijgt |\n",
}


@every_way
@pytest.mark.parametrize("name", RULED)
def test_a_table_that_is_drawn_for_people_is_refused(how, name):
    with pytest.raises(MissingColumnError, match="has no text column"):
        how(RULED[name])


def test_text_in_brackets_or_under_a_line_is_no_table():
    lines = ["[Reuters] Profit rose", "TOP NEWS", "--------", "{AGM} on 5 May", "<b>Costs</b> up"]
    assert read("\n".join(lines)) == ("lines", lines)


@every_way
def test_the_header_of_a_second_file_is_no_headline(how):
    kind, texts = how("id,headline\n1,Profit rose\n" + "id,headline\n2,AGM on 5 May\n")
    assert (kind, texts) == ("csv", ["Profit rose", None, "AGM on 5 May"])


@every_way
def test_lines_of_json_are_read_as_such_where_some_are_broken(how):
    lines = ['{"text": "Profit ro', '{"text": "Profit rose"}', '{"text": "AGM on 5 May"}']
    assert how("\n".join(lines)) == ("json lines", [None, "Profit rose", "AGM on 5 May"])


@pytest.mark.parametrize("column", ["0", "3", "9" * 5_000, "²", "1.0"])
def test_a_number_of_no_column_is_a_name_that_is_not_there(column):
    with pytest.raises(MissingColumnError, match="has no text column"):
        read("1,Profit rose\n2,AGM\n", text_column=column)


@every_way
@pytest.mark.parametrize("name", ["headline", "Headlines", "title"])
def test_a_header_is_no_headline_where_columns_are_given_by_number(how, name):
    content = f"{name},day\nProfit rose,x\n{name},day\nSales fell,y\n"
    assert how(content, text_column="1") == ("csv", ["Profit rose", None, "Sales fell"])


def test_a_header_costs_no_row_where_columns_are_given_by_number(read):
    ingestion = read("id,headline,mood\n1,Profit rose,positive\n", text_column="2", label_column="3")
    assert (list(ingestion.accepted["text"]), len(ingestion.rejected)) == (["Profit rose"], 0)
    assert ingestion.columns == ReadColumns("2", "3", kept=("id",))
    assert ingestion.accepted["agreement"].isna().all()


def test_a_separator_line_of_excel_names_the_delimiter(read):
    for line in ("sep=;", '"sep=;"', "SEP=;"):
        ingestion = read(f"{line}\ntext;label\nProfit rose, again;positive\n")
        assert list(ingestion.accepted["text"]) == ["Profit rose, again"]
    assert list(read("sep=^\ntext^label\nProfit; again^positive\n").accepted["text"]) == ["Profit; again"]
    assert list(read("sep=;\nAGM, as ever;neutral\n").accepted["text"]) == ["AGM, as ever"]


names = st.lists(
    st.lists(st.sampled_from(["Kop", "Datum", "Nummer", "Bron van", "bericht", "soort"]), min_size=1, max_size=2)
    .map(" ".join),
    min_size=2,
    max_size=5,
)  # fmt: skip
prose = st.lists(
    st.sampled_from(["Profit", "rose,", "says", "AGM", "costs,", '"no"', "5", "EUR", "|", ";"]), max_size=9
)
cells = st.one_of(prose.map(" ".join), st.integers(0, 9_999).map(str), st.dates().map(str), st.just(""))


@st.composite
def tables(draw):
    """The bytes of a table with at least a row, quoted where it must be, and under any delimiter."""
    header = draw(names)
    rows = draw(st.lists(st.tuples(*(cells for _ in header)).filter(any), min_size=1, max_size=12))
    file = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(file, delimiter=draw(st.sampled_from(",;\t|")), quoting=quoting, lineterminator=end)
    writer.writerows([header, *rows])
    return file.getvalue().encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])))


@settings(max_examples=examples(200), deadline=None)
@given(content=tables())
def test_no_table_is_ever_read_line_by_line(content):
    for how in (read, stream):
        with pytest.raises(MissingColumnError, match="no text column"):
            how(content)


words = st.sampled_from(
    ["Profit", "rose", "says", "AGM", "in", "costs", "5", "EUR", "1,000", "AT&amp;T", "U.S.", "'no'"]
)
marks = st.sampled_from([" ", " ", " ", ", ", ", ", "; ", " | ", " - ", ": "])


@st.composite
def headlines(draw):
    """Running text: words with marks between them, a space after each."""
    first, *rest = draw(st.lists(words, min_size=4, max_size=12))
    return first + "".join(draw(marks) + word for word in rest)


def count_marks(line):
    return [line.count(mark) for mark in (", ", "; ", " | ")]


@settings(max_examples=examples(300), deadline=None)
@given(lines=st.lists(headlines(), min_size=1, max_size=12))
@example(lines=["Profit rose, sales fell"] * 4)
def test_running_text_is_read_line_by_line_unless_its_lines_are_as_alike_as_rows(lines):
    are_alike = any(
        first == other > 0 for mark in zip(*map(count_marks, lines), strict=True) for first, other in pairwise(mark)
    )
    for how in (read, stream):
        try:
            assert how("\n".join(lines)) == ("lines", lines)
        except MissingColumnError:
            assert are_alike
            assert len(lines) > 1
