"""A source that cannot be used ends in one line that names it and the remedy."""

import io
import os
import zipfile

import pytest

from ingestion import sources
from ingestion.ingest import read_source
from ingestion.streams import open_stream
from schemas.errors import InputError
from schemas.source import DataSettings, UnlabelledSettings


def zip_of(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def error_of(source, **settings):
    with pytest.raises(InputError) as caught:
        read_source(DataSettings(source=str(source), **settings))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert repr(str(source)) in message
    return message


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        (b"", ["is empty"]),
        (b" \n\r\n\t", ["is empty"]),
        ("\ufeff".encode("utf-16"), ["is empty"]),
        (b"text,label\n", ["has no rows"]),
        (b"PK\x03\x04 and no more", ["zip that cannot be read", "get it again"]),
        (
            zip_of(**{"b.txt": "x", "a.csv": "y"}),
            [
                "neither an Excel workbook nor the archive of",
                "holds not one data file but 'b.txt', 'a.csv'",
                "unpack it",
            ],
        ),
        (zip_of(), ["holds not one data file but nothing"]),
        (
            zip_of(**{"__MACOSX/Sentences_50Agree.txt": "x@neutral"}),
            ["not one data file but '__MACOSX/Sentences_50Agree.txt (system file)'"],
        ),
        (zip_of(**{"Sentences_75Agree.txt": "x@neutral"}), ["without Sentences_50Agree.txt", "data.agreement"]),
        (zip_of(**{f"{number}.txt": "x" for number in range(9)}), ["'4.txt' and 4 more"]),
        (b"headline,score\nProfit rose,5\n", ["no label column", "['headline', 'score']", "--label-column"]),
        (b"a,b\n1,2\n", ["no text column and no label column", "--text-column"]),
        (b"only one column\nand another line\n", ["no text column and no label column", "['only one column']"]),
        (b'"a\nb",c\n1,2\n', ["['a\\nb', 'c']"]),
        (b'{"a": "Profit rose", "label": "positive"}\n', ["no text column", "['a', 'label']"]),
        (bytes(range(256)) * 40, ["is not text in any known encoding", "data.encoding"]),
    ],
)
def test_content_that_cannot_be_used_is_refused_with_the_reason(tmp_path, content, fragments):
    path = tmp_path / "source"
    path.write_bytes(content)
    message = error_of(path)
    for fragment in fragments:
        assert fragment in message


def test_a_source_that_does_not_exist_is_refused(tmp_path):
    assert "does not exist: give the path" in error_of(tmp_path / "nowhere.csv")


def test_a_folder_without_the_file_for_the_agreement_is_refused(tmp_path):
    (tmp_path / "Sentences_50Agree.txt").write_text("Profit rose@positive\n")
    assert "folder without Sentences_75Agree.txt: set data.agreement" in error_of(tmp_path, agreement=75)


def test_a_source_with_a_name_that_the_system_refuses_is_reported():
    with pytest.raises(InputError, match=r"^source 'x{199}\.\.\. cannot be read \(File name too long\)"):
        read_source(DataSettings(source="x" * 5_000))
    assert "cannot be read (Could not determine home directory): check" in error_of("~nobody-of-that-name/a.csv")


@pytest.mark.parametrize("source", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_read(source):
    assert error_of(source).startswith(f"source {source!r} is not a regular file: save its content in one")


def test_a_link_that_leads_to_itself_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be read (Too many levels of symbolic links)" in error_of(tmp_path / "loop")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_source_without_read_permission_is_refused(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text("text,label\nProfit rose,positive\n")
    path.chmod(0)
    assert "cannot be read (Permission denied): check its path and permissions" in error_of(path)


def test_named_columns_that_do_not_exist_are_reported(tmp_path):
    path = tmp_path / "headlines.csv"
    path.write_text("text,label\nProfit rose,positive\n")
    message = error_of(path, text_column="body", label_column="verdict")
    assert "no text column 'body' and no label column 'verdict'" in message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_an_encoding_that_does_not_fit_is_refused(tmp_path, encoding):
    path = tmp_path / "headlines.csv"
    path.write_text("text,label\nNestlé \\ud800 rose,positive\n", encoding="utf-8")
    assert error_of(path, encoding=encoding).endswith(
        f"is not valid text in {encoding!r}: set data.encoding to its encoding"
    )


NO_ENCODINGS = ["klingon", "idna", "punycode", "undefined", "rot13", "unicode_escape", "base64", "utf-7", "ü"]


@pytest.mark.parametrize("name", [*NO_ENCODINGS, "../os", "x" * 10_000])
@pytest.mark.parametrize("content", ["text,label\nProfit rose,positive\n", "text,label\nNestlé rose,positive\n"])
def test_a_name_of_no_text_encoding_is_refused(read, name, content):
    with pytest.raises(InputError, match=r"^encoding '[^']{1,43}' is not a known text encoding: try utf-8"):
        read(content, encoding=name)
    with pytest.raises(InputError, match="is not a known text encoding"):
        open_stream(io.BytesIO(content.encode()), UnlabelledSettings(source="-", encoding=name))


def test_embedded_headlines_that_are_missing_are_not_taken_for_a_wrong_name(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "HEADLINES_FILE", tmp_path / "headlines.csv")
    assert error_of("embedded") == "source 'embedded': the file that ships is missing; install fintone again"
