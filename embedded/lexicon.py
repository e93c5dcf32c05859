"""The words of the synthetic headlines.

Every company is invented, and several have names such as "Risewell" or "Lossmann", so a direction word by itself
proves nothing.
"""

GOOD_METRICS = (
    "operating profit",
    "net profit",
    "net sales",
    "turnover",
    "revenue",
    "order intake",
    "the order backlog",
    "market share",
    "cash flow",
    "earnings per share",
    "the gross margin",
    "demand",
    "productivity",
    "customer satisfaction",
)
"""Metrics whose increase is good news."""

BAD_METRICS = (
    "costs",
    "the operating loss",
    "the net loss",
    "debt",
    "expenses",
    "impairments",
    "complaints",
    "credit losses",
    "delivery delays",
    "customer churn",
    "overcapacity",
    "raw material prices",
)
"""Metrics whose increase is bad news."""

COUNTED_GOOD = ("operating profit", "net profit", "net sales", "turnover", "revenue", "order intake", "cash flow")
COUNTED_BAD = ("costs", "the operating loss", "the net loss", "debt", "expenses", "impairments", "credit losses")
"""Metrics that are stated as an amount of money, for headlines whose direction follows from two numbers."""

RISE = {
    "past": ("rose", "grew", "increased", "climbed", "went up", "surged", "expanded"),
    "base": ("rise", "grow", "increase", "climb", "go up", "surge", "expand"),
    "noun": ("a rise", "growth", "an increase", "a surge"),
}
FALL = {
    "past": ("fell", "declined", "decreased", "dropped", "went down", "shrank", "slid"),
    "base": ("fall", "decline", "decrease", "drop", "go down", "shrink", "slide"),
    "noun": ("a fall", "a decline", "a decrease", "a drop"),
}
"""Verbs and nouns of direction; the tense is the key."""

WANTED = ("Owners want more", "Investors like to see higher", "It pleases the market to hear of more")
UNWANTED = ("Owners want less", "Investors like to see lower", "It pleases the market to hear of less")

GOOD_EVENTS = (
    ("won", "win", "an order worth EUR {amount} mn"),
    ("raised", "raise", "its dividend"),
    ("beat", "beat", "its own forecast"),
    ("got", "get", "approval for its new product"),
    ("renewed", "renew", "its largest contract"),
    ("hired", "hire", "{amount} people to meet its orders"),
    ("set", "set", "a record in deliveries"),
)
BAD_EVENTS = (
    ("lost", "lose", "an order worth EUR {amount} mn"),
    ("cut", "cut", "its dividend"),
    ("missed", "miss", "its own forecast"),
    ("recalled", "recall", "its new product"),
    ("closed", "close", "its largest plant"),
    ("laid off", "lay off", "{amount} people"),
    ("issued", "issue", "a warning on its results"),
)
"""Events whose verb shows whether the news is good: the verb in the past, its base form, and its object."""

NEGATIONS = ("did not", "failed to", "will no longer")

NAME_STARTS = (
    "Nord",
    "Tal",
    "Kiva",
    "Sampo",
    "Ruka",
    "Vest",
    "Ala",
    "Helm",
    "Ori",
    "Pelto",
    "Lumi",
    "Astra",
    "Bergs",
    "Cor",
    "Dun",
    "Rise",
    "Gain",
    "Loss",
    "Grow",
    "Fall",
    "Drop",
    "Profit",
    "Best",
    "Sink",
)
NAME_ENDS = ("vik", "vera", "nen", "mann", "well", "ford", "stad", "lux", "tek", "mer", "ra", "holm", "bridge", "sson")
NAME_FORMS = ("", "", " Oyj", " Group", " Corporation", " AB", " plc", " Holdings", " Industries")
PEOPLE = ("Aino Virta", "Matti Salo", "Elsa Holm", "Pekka Rinne", "Sara Lind", "Jon Berg", "Mika Laine", "Ida Storm")
ROLES = ("chief financial officer", "chairman", "head of research", "managing director", "general counsel")
PLACES = ("Helsinki", "Tampere", "Oslo", "Riga", "Gdansk", "Malmo", "Tallinn", "Turku", "Bergen", "Vilnius")
INDUSTRIES = ("paper", "steel", "banking", "software", "retail", "shipping", "packaging", "energy", "telecom", "food")
PERIODS = (
    "in the first quarter",
    "in the second quarter",
    "in the third quarter",
    "in the fourth quarter",
    "in the review period",
    "during the year",
    "in January-March",
    "in July-September",
)
CAUSES = (
    "on exchange rates",
    "after the merger",
    "in the home market",
    "in the Baltic countries",
    "across all divisions",
    "because of the weather",
    "as the new plant started",
    "under the new contract",
)
DATES = ("5 May", "12 March", "30 June", "1 October", "18 August", "24 February", "9 November")

REMARKS = {
    "positive": (
        "Investors were delighted.",
        "Shareholders cheered the news.",
        "The market liked it.",
        "Analysts raised their targets.",
        "Owners had reason to smile.",
        "Delighted investors bought the shares.",
        "Cheers from the shareholders.",
        "Smiles all round on the market.",
    ),
    "negative": (
        "Investors were worried.",
        "Shareholders feared the news.",
        "The market hated it.",
        "Analysts cut their targets.",
        "Owners had reason to frown.",
        "Worried investors sold the shares.",
        "Fear among the shareholders.",
        "Frowns all round on the market.",
    ),
    "neutral": (
        "Investors hardly noticed.",
        "Shareholders ignored the news.",
        "The market did not move.",
        "Analysts kept their targets.",
        "Owners had no reason to act.",
        "Indifferent investors left the shares alone.",
        "Silence from the shareholders.",
        "Shrugs all round on the market.",
    ),
}
"""The market's reactions, only for the base model's corpus. None contains a label word."""
