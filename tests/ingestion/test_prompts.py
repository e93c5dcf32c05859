"""Data that language models are trained on: headline and label are found by values, without the words around them."""

import json

import pytest

from schemas.errors import InputError

ROWS = [("Profit rose", "positive"), ('Costs, "as ever", rose', "negative"), ("AGM on 5 May", "neutral")]
SNAPSHOT = "cc1be82df9713dc5"
INSTRUCTIONS = ["What is the sentiment of this news?", "Is this news good or bad?"]


def chat(question, answer):
    system = {"role": "system", "content": "You are a careful analyst of news."}
    return {"messages": [system, {"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


FORMATS = {
    "messages.user": (chat, "messages.assistant"),
    "conversations.human": (
        lambda question, answer: {
            "conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
        },
        "conversations.gpt",
    ),
    "prompt": (lambda question, answer: {"prompt": question, "completion": f" {answer}"}, "completion"),
    "input": (
        lambda question, answer: {"instruction": INSTRUCTIONS[len(answer) % 2], "input": question, "output": answer},
        "output",
    ),
    "instruction": (lambda question, answer: {"instruction": question, "input": "", "output": answer}, "output"),
}
FRAMES = ["{}", "Headline: {}", 'What is "{}"', "Classify this.\n[{}]\nAnswer:", "{}\n\n###\n\n", "News: {} Sentiment:"]


@pytest.mark.parametrize("as_lines", [True, False])
@pytest.mark.parametrize("text_column", FORMATS)
def test_the_headline_and_the_answer_are_found(read, text_column, as_lines):
    make, label_column = FORMATS[text_column]
    rows = [make(text, label) for text, label in ROWS]
    ingestion = read("\n".join(map(json.dumps, rows)) if as_lines else json.dumps(rows))
    assert (ingestion.columns.text, ingestion.columns.label) == (text_column, label_column)
    assert ingestion.snapshot_id == SNAPSHOT
    assert (ingestion.columns.warn(), ingestion.not_read) == ([], ())


@pytest.mark.parametrize("frame", FRAMES)
def test_words_around_every_headline_are_removed_and_reported(read, frame):
    ingestion = read(json.dumps([chat(frame.format(text), label) for text, label in ROWS]))
    assert ingestion.snapshot_id == SNAPSHOT
    removed = " ".join(ingestion.not_read)
    assert all(repr(words.strip())[1:-1] in removed for words in frame.split("{}"))


def test_what_headlines_share_without_a_boundary_stays(read):
    texts = ["Northwind (NWD) profit rose again", "Northwind (NWD) costs rose again"]
    rows = [{"prompt": text, "completion": "neutral"} for text in texts]
    ingestion = read(json.dumps(rows))
    assert (list(ingestion.accepted["text"]), ingestion.not_read) == (texts, ())


def test_a_column_that_is_no_prompt_keeps_every_word(read):
    rows = [{"text": f"Brief: {text}", "label": label} for text, label in ROWS]
    assert list(read(json.dumps(rows)).accepted["text"]) == [f"Brief: {text}" for text, _ in ROWS]


def test_one_row_is_read_as_it_is(read):
    ingestion = read(json.dumps(chat("Headline: Profit rose", "positive")))
    assert list(ingestion.accepted["text"]) == ["Headline: Profit rose"]


def test_a_conversation_with_several_questions_is_rejected(read):
    several = {"messages": [*chat("Sales fell", "negative")["messages"], *chat("Profit rose", "positive")["messages"]]}
    rows = [*(chat(text, label) for text, label in ROWS), several]
    ingestion = read("\n".join(map(json.dumps, rows)), max_rejected=1)
    assert ingestion.snapshot_id == SNAPSHOT
    assert list(ingestion.rejected["reason"]) == ["several values in 'messages.user'"]


def test_answers_that_are_no_labels_are_not_taken_for_them(read):
    rows = [{"instruction": "Explain the news", "input": text, "output": f"Because {text}"} for text, _ in ROWS]
    with pytest.raises(InputError, match="has no label column"):
        read(json.dumps(rows))
