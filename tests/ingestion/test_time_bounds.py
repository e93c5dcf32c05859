"""No file of up to 100 KB takes a reader more than 10 s, whether it is sound, cut off, damaged or made to be slow."""

import csv
import io
import json
import signal
import zipfile
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from ingestion.formats import read_content
from ingestion.streams import open_stream
from ingestion.unlabelled import read_batches
from schemas.errors import InputError
from schemas.source import UnlabelledSettings
from tests.examples import examples
from tests.ingestion.nasty_files import zip_of

MOST_BYTES = 100_000
SECONDS = 10
ROWS = [(f"Profit of firm {number} rose, \u20ac{number} mn more", "positive", number) for number in range(400)]
NAMES = ("text", "label", "more")


@contextmanager
def within_bounds():
    """Fail if the block takes more than SECONDS of processor time, which a busy machine does not change."""

    def fail(*_):
        raise AssertionError(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGPROF, fail)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def validate(rows):
    rows = list(rows)
    return list(read_batches([rows] if rows else []))


def read_every_way(read, content):
    """Read as labelled headlines, as headlines to score and as a stream: each gives rows or an error of one line."""
    assert len(content) <= MOST_BYTES * 1.05
    unlabelled = UnlabelledSettings(source="-")
    ways = (
        lambda: read(content, max_rejected=1),
        lambda: validate(read_content(content, "news", unlabelled).rows),
        lambda: list(open_stream(io.BytesIO(content), unlabelled).rows),
    )
    for way in ways:
        message = ""
        with within_bounds():
            try:
                way()
            except InputError as error:
                message = str(error)
        assert len(message.splitlines()) <= 1
        assert len(message) < 2_000


def as_csv(rows):
    file = io.StringIO(newline="")
    csv.writer(file).writerows([NAMES, *rows])
    return file.getvalue().encode()


def as_json(rows):
    return json.dumps([dict(zip(NAMES, row, strict=True)) for row in rows]).encode()


def as_json_lines(rows):
    return "\n".join(json.dumps(dict(zip(NAMES, row, strict=True))) for row in rows).encode()


def as_parquet(rows):
    file = io.BytesIO()
    pq.write_table(pa.table(list(map(pa.array, zip(*rows, strict=True))), names=list(NAMES)), file)
    return file.getvalue()


def as_excel(rows):
    book, file = Workbook(), io.BytesIO()
    for row in [NAMES, *rows]:
        book.active.append(row)
    book.create_sheet("more").append(NAMES)
    book.active.merge_cells("B3:B9")
    book.save(file)
    return file.getvalue()


def as_phrasebank(rows):
    return "\n".join(f"{text}@{label}" for text, label, _ in rows).encode("cp1252")


WRITERS = {
    "csv": as_csv,
    "latin csv": lambda rows: as_csv(rows).decode().encode("cp1252"),
    "utf-16": lambda rows: as_csv(rows).decode().encode("utf-16"),
    "json": as_json,
    "json lines": as_json_lines,
    "phrasebank": as_phrasebank,
    "lines": lambda rows: "\n".join(text for text, _, _ in rows).encode(),
    "parquet": as_parquet,
    "excel": as_excel,
    "zip": lambda rows: zip_of({"a.csv": as_csv(rows), "README.md": "x"}),
}
SOUND = {name: write(ROWS) for name, write in WRITERS.items()}
TOKENS = [bytes([byte]) for byte in b"\"',\t;|\n\r{}[]:@ a\\9-e\xe9\xff\0"]
TOKENS += [
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"\xed\xa0\x80",
    b"&amp;",
    b"\\u0041",
    b"null",
    b"#NAME?",
]
TOKENS += [b'{"text":', b'"label":', b'"text"', b"{}", b"positive", b"text,label\n", b"Profit rose"]

patterns = st.lists(st.sampled_from(TOKENS), min_size=1, max_size=6).map(b"".join)
lengths = st.sampled_from([1, 2, 100, 5_000, 45_000])
stretches = st.tuples(patterns, lengths).map(lambda part: (part[0] * (1 + part[1] // len(part[0])))[:45_000])
unhurried = settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@unhurried
@given(
    start=st.sampled_from([b"", b"text,label\n", b"[{", b'{"text":"x","label":"positive"}\n']),
    parts=st.lists(stretches, min_size=1, max_size=3),
)
@example(start=b"text,label\n", parts=[b"x" * 45_000, b"x" * 45_000, b"\n\xe9,neutral\n"])
@example(start=b"text,label\n", parts=[b'x","y\n' * 7_000, b'a,"b"c\n' * 6_000])
def test_a_text_of_long_stretches_is_read_or_refused_in_time(read, start, parts):
    read_every_way(read, (start + b"".join(parts))[:MOST_BYTES])


@pytest.mark.slow
@unhurried
@given(data=st.data(), name=st.sampled_from(sorted(SOUND)))
def test_a_damaged_file_is_read_or_refused_in_time(read, data, name):
    content = bytearray(SOUND[name])
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, max_size=3)):
        content[place : place + data.draw(st.sampled_from([0, 1, 2]))] = data.draw(stretches)[:20_000]
    for place in data.draw(st.lists(places, max_size=6)):
        content[place : place + 1] = data.draw(st.binary(min_size=1, max_size=2))
    length = data.draw(st.just(len(content)) | places)
    read_every_way(read, bytes(content[:length])[:MOST_BYTES])


XML_TAGS = ["row", "c", "v", "is", "t", "f", "sheetData", "mergeCells", "si", "r", "rPr", "cellXfs", "fonts", "a"]
XML_TOKENS = [form.format(tag) for tag in XML_TAGS for form in ("<{}>", "</{}>", "<{}/>")]
XML_TOKENS += ["<!--", "-->", "<![CDATA[", "]]>", "&#65;", "&amp;", " ", "0", "Profit rose", '<x a="', '"/>']
XML_TOKENS += [
    '<row r="9999999">',
    '<c r="XFD1">',
    '<c t="s">',
    '<c t="inlineStr">',
    '<dimension ref="A1:XFD1048576"/>',
]
XML_TOKENS += ['<mergeCell ref="A1:A9"/>', '<mergeCell ref="B1:XFD1048576"/>', '<conditionalFormatting sqref="A1"/>']
XML_TOKENS += ['<xf numFmtId="14"/>', '<font><sz val="1"/></font>', '<numFmt numFmtId="200" formatCode="yyyy"/>']
XML_TOKENS += ['<sheet name="x" sheetId="2" r:id="rId1"/>', '<definedName name="x">1</definedName>']
XML_TOKENS += ['<Override PartName="/x" ContentType="x"/>', '<Relationship Id="rId1" Type="x" Target="x"/>']
XML_TOKENS += ['<row><c r="A2" t="inlineStr"><is><t>Profit rose</t></is></c><c r="B2" t="s"><v>0</v></c></row>']
xml_patterns = st.lists(st.sampled_from(XML_TOKENS), min_size=1, max_size=4).map("".join)


def read_members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


MEMBERS = read_members(SOUND["excel"])


@settings(unhurried, max_examples=examples(40))
@given(data=st.data(), name=st.sampled_from(sorted(MEMBERS)))
def test_a_workbook_of_long_stretches_is_read_or_refused_in_time(read, data, name):
    part = MEMBERS[name].decode()
    tags = [place for place, sign in enumerate(part[:20_000]) if sign == "<"]
    for place in sorted(data.draw(st.lists(st.sampled_from(tags), min_size=1, max_size=2)), reverse=True):
        pattern, size = data.draw(xml_patterns), data.draw(st.sampled_from([10, 10_000, 900_000, 5_000_000]))
        part = part[:place] + pattern * (1 + size // len(pattern)) + part[place:]
    content = zip_of(MEMBERS | {name: part})
    if len(content) <= MOST_BYTES:
        read_every_way(read, content)


@settings(unhurried, max_examples=examples(25))
@given(
    pattern=patterns, size=st.sampled_from([1_000, 900_000, 9_000_000]), start=st.sampled_from([b"", b"text,label\n"])
)
def test_a_zip_of_long_stretches_is_read_or_refused_in_time(read, pattern, size, start):
    content = zip_of({"a.csv": start + pattern * (1 + size // len(pattern))})
    if len(content) <= MOST_BYTES:
        read_every_way(read, content)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_file_is_read_in_time(read, name):
    with within_bounds():
        if name == "lines":
            found = read_content(SOUND[name], "news", UnlabelledSettings(source="-", format="lines"))
            [batch] = read_batches([list(found.rows)])
            assert len(batch.headlines) == len(ROWS)
        else:
            assert len(read(SOUND[name]).accepted) == len(ROWS)


@pytest.mark.slow
def test_a_stream_of_one_line_of_100_mb_is_read_in_time():
    with within_bounds():
        found = open_stream(io.BytesIO(b"x" * 100_000_000), UnlabelledSettings(source="-", format="lines"))
        assert [len(row.raw) for row in found.rows] == [100_000_000]
