"""The grammar of the synthetic headlines: generates a headline and its sentiment from random state.

The sentiment mostly follows from metric and direction together ("profit fell", "costs fell"), from negation, from two
numbers, or from the main clause of two, so a single word seldom decides.
"""

from dataclasses import dataclass
from random import Random

from embedded import lexicon

GOOD_METRIC_SHARE = 0.65
"""The share of good metrics is above one half, so a direction by itself is informative, but not sufficient."""

FLIP = {"positive": "negative", "negative": "positive"}


@dataclass(frozen=True)
class SyntheticHeadline:
    """One generated headline with the sentiment that the grammar gives it."""

    text: str
    sentiment: str


def generate_headline(random: Random) -> SyntheticHeadline:
    """Draw one headline: about 38 % neutral, 36 % positive and 26 % negative."""
    if random.random() < 0.38:
        return SyntheticHeadline(_capitalise(random.choice(_NEUTRAL_FORMS)(random)), "neutral")
    sentiment = "positive" if random.random() < 0.58 else "negative"
    form = random.choices(tuple(_OPINION_FORMS), weights=tuple(_OPINION_FORMS.values()))[0]
    return SyntheticHeadline(_capitalise(form(random, sentiment)), sentiment)


def generate_lesson(random: Random) -> SyntheticHeadline:
    """Draw a bare move of a metric, for the base model's corpus.

    Every second text states whether the metric went up or down, so a small model can learn the words before their
    combination.
    """
    good, rises = random.random() < GOOD_METRIC_SHARE, random.random() < 0.5
    move = _move_in_numbers(random, rises) if random.random() < 0.1 else _move_in_words(random, rises)
    metric = random.choice(lexicon.GOOD_METRICS if good else lexicon.BAD_METRICS)
    statement = random.choice(("", " It went up." if rises else " It went down."))
    return SyntheticHeadline(f"{_capitalise(metric)} {move} .{statement}", "positive" if good == rises else "negative")


def generate_wish(random: Random) -> str:
    """Draw a text that states which way a metric should go, for the base model's corpus."""
    good = random.random() < 0.5
    metric = random.choice(lexicon.GOOD_METRICS if good else lexicon.BAD_METRICS)
    return f"{random.choice(lexicon.WANTED if good else lexicon.UNWANTED)} {metric} ."


def _move_in_words(random: Random, rises: bool) -> str:  # noqa: FBT001
    return random.choice((lexicon.RISE if rises else lexicon.FALL)["past"])


def _move_in_numbers(random: Random, rises: bool) -> str:  # noqa: FBT001
    low, high = _two_amounts(random)
    before, now = (low, high) if rises else (high, low)
    return f"went from EUR {before} mn to EUR {now} mn"


def _two_amounts(random: Random) -> tuple[int, int]:
    """A low and a high amount of two digits, at least ten apart."""
    low = random.randint(10, 69)
    return low, random.randint(low + 10, 99)


def generate_remark(random: Random, sentiment: str) -> str:
    """Draw the market's reaction to a headline of this sentiment; no remark contains a label word."""
    return random.choice(lexicon.REMARKS[sentiment])


def _capitalise(text: str) -> str:
    return text[0].upper() + text[1:]


def _company(random: Random) -> str:
    return random.choice(lexicon.NAME_STARTS) + random.choice(lexicon.NAME_ENDS) + random.choice(lexicon.NAME_FORMS)


def _metric_and_direction(random: Random, sentiment: str) -> tuple[str, dict[str, tuple[str, ...]]]:
    """A metric and a direction that together have this sentiment."""
    good = random.random() < GOOD_METRIC_SHARE
    rises = good == (sentiment == "positive")
    metric = random.choice(lexicon.GOOD_METRICS if good else lexicon.BAD_METRICS)
    return metric, lexicon.RISE if rises else lexicon.FALL


def _clause(random: Random, sentiment: str) -> str:
    """A metric that moved or, one time in five, did not move in the opposite direction."""
    if random.random() < 0.2:
        metric, direction = _metric_and_direction(random, FLIP[sentiment])
        return f"{metric} {random.choice(lexicon.NEGATIONS)} {random.choice(direction['base'])}"
    metric, direction = _metric_and_direction(random, sentiment)
    return f"{metric} {random.choice(direction['past'])}"


def _tail(random: Random) -> str:
    ending = random.random()
    if ending < 0.3:
        return f" {random.choice(lexicon.PERIODS)}"
    if ending < 0.55:
        return f" {random.choice(lexicon.CAUSES)}"
    if ending < 0.75:
        return f" by {random.randint(2, 60)} %"
    return ""


def _plain(random: Random, sentiment: str) -> str:
    frame = random.choice(
        ("{company} said that {clause}{tail}", "{clause}{tail} at {company}", "{company} : {clause}{tail}")
    )
    return frame.format(company=_company(random), clause=_clause(random, sentiment), tail=_tail(random)) + " ."


def _expected(random: Random, sentiment: str) -> str:
    metric, direction = _metric_and_direction(random, sentiment)
    verb = random.choice(("expects", "forecasts", "sees", "reports"))
    return f"{_company(random)} {verb} {random.choice(direction['noun'])} in {metric}{_tail(random)} ."


def _two_numbers(random: Random, sentiment: str) -> str:
    """The direction follows from two amounts: no verb states it."""
    good = random.random() < GOOD_METRIC_SHARE
    metric = random.choice(lexicon.COUNTED_GOOD if good else lexicon.COUNTED_BAD)
    low, high = _two_amounts(random)
    now, before = (high, low) if good == (sentiment == "positive") else (low, high)
    frame = random.choice(
        (
            "{company} said {metric} went from EUR {before} mn to EUR {now} mn .",
            "{metric} of {company} came to EUR {now} mn , compared to EUR {before} mn a year earlier .",
            "{metric} at {company} totalled EUR {now} mn , against EUR {before} mn in the year before .",
        )
    )
    return frame.format(company=_company(random), metric=metric, now=now, before=before)


def _event(random: Random, sentiment: str) -> str:
    """An event that is good or bad by its own verb or, one time in five, one of the other kind that did not happen."""
    happened = random.random() >= 0.2
    events = lexicon.GOOD_EVENTS if happened == (sentiment == "positive") else lexicon.BAD_EVENTS
    past, base, rest = random.choice(events)
    verb = past if happened else f"{random.choice(lexicon.NEGATIONS)} {base}"
    return f"{_company(random)} {verb} {rest.format(amount=random.randint(10, 99))} ."


def _two_clauses(random: Random, sentiment: str) -> str:
    """The subordinate clause says the opposite; the main clause decides."""
    main, other = _clause(random, sentiment), _clause(random, FLIP[sentiment])
    frame = random.choice(
        (
            "although {other} , {main} at {company} .",
            "{company} said that {main} although {other} .",
            "{main} at {company} even though {other} .",
        )
    )
    return frame.format(company=_company(random), main=main, other=other)


def _flat_numbers(random: Random) -> str:
    metric = random.choice(lexicon.COUNTED_GOOD + lexicon.COUNTED_BAD)
    amount = random.randint(10, 99)
    return f"{metric} of {_company(random)} came to EUR {amount} mn , compared to EUR {amount} mn a year earlier ."


def _publication(random: Random) -> str:
    metric = random.choice(lexicon.GOOD_METRICS + lexicon.BAD_METRICS)
    frame = random.choice(
        (
            "{company} will publish its figures on {metric} on {date} .",
            "{company} explains how it measures {metric}{tail} .",
            "analysts asked {company} about {metric}{tail} .",
        )
    )
    tail = f" {random.choice(lexicon.PERIODS)}"
    return frame.format(company=_company(random), metric=metric, date=random.choice(lexicon.DATES), tail=tail)


def _appointment(random: Random) -> str:
    person, role, date = random.choice(lexicon.PEOPLE), random.choice(lexicon.ROLES), random.choice(lexicon.DATES)
    return f"{_company(random)} has appointed {person} as {role} from {date} ."


def _description(random: Random) -> str:
    frame = random.choice(
        (
            "{company} , based in {place} , is a {industry} company .",
            "the annual general meeting of {company} will be held in {place} on {date} .",
            "the contract between {company} and {other} covers {count} sites in {place} .",
            "{company} has {count} employees in {place} and works in {industry} .",
            "{company} and {other} both have an office in {place} .",
        )
    )
    return frame.format(
        company=_company(random),
        other=_company(random),
        place=random.choice(lexicon.PLACES),
        industry=random.choice(lexicon.INDUSTRIES),
        date=random.choice(lexicon.DATES),
        count=random.randint(2, 90),
    )


def _unchanged(random: Random) -> str:
    metric = random.choice(lexicon.GOOD_METRICS + lexicon.BAD_METRICS)
    direction = random.choice((lexicon.RISE, lexicon.FALL))
    frame = random.choice(
        (
            "{metric} at {company} stayed as before{tail} .",
            "{company} said that it is too early to tell whether {metric} will {verb} .",
            "{metric} neither rose nor fell at {company}{tail} .",
        )
    )
    verb = random.choice(direction["base"])
    tail = f" {random.choice(lexicon.PERIODS)}"
    return frame.format(company=_company(random), metric=metric, verb=verb, tail=tail)


_OPINION_FORMS = {_plain: 0.42, _event: 0.23, _expected: 0.12, _two_numbers: 0.1, _two_clauses: 0.13}
_NEUTRAL_FORMS = (_flat_numbers, _publication, _publication, _appointment, _description, _unchanged, _unchanged)
