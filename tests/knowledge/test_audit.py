"""A planted knowledge base with every fault once, and a clean one with none."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.knowledge.articles import read_folder
from bot.knowledge.audit import Audit, Finding, audit
from bot.knowledge.audit_report import summary, to_markdown, to_text
from bot.knowledge.auditing.contradictions import contradictions
from bot.knowledge.auditing.dates import days
from bot.knowledge.auditing.findings import KINDS, Corpus
from bot.knowledge.auditing.quantities import quantities
from bot.knowledge.auditing.sentences import sentences
from bot.knowledge.contract import Article, Passage
from bot.knowledge.index import Index
from bot.knowledge.passages import cut_all

TODAY = date(2026, 11, 25)

CLEAN = {
    "returns/deadline": """\
        title: How long you have to return something
        You can return unused items within 30 days, in the original packaging.

        ## Things we cannot take back

        Opened hygiene goods, personalised goods and gift cards cannot be returned.
        See [sale items](sale.md#deadline-for-sale-items).""",
    "returns/sale": """\
        title: Returning sale items
        ## Deadline for sale items

        Sale items can be returned within 14 days. The rest of our
        [return conditions](deadline.md) holds for them too.""",
    "delivery/uk": """\
        title: Delivery in the UK
        Standard delivery takes 3–5 working days and costs £3.95; from £50 it is free.
        Express delivery costs £7.95 if you order before 14:00.

        | Way | Days | Price |
        | --- | --- | --- |
        | Standard | 3–5 | £3.95 |
        | Express | 1 | £7.95 |""",
    "delivery/europe": """\
        title: Delivery to Europe
        Standard delivery takes 5–8 working days and costs £12.95; from £120 it is free.
        For parcels to the EU we pay duties through the IOSS (Import One-Stop Shop).""",
    "store": """\
        title: Our store and its hours
        Our store is open Mon–Fri 9–18 and Sat 10–16. It is at 14 Mill Lane and closed on Sunday.
        Since 1 March 2020 we have had a workshop there.
        Write to [us](mailto:help@larkfield.example), or call +44 20 7946 0123 from Monday to
        Friday, 9:00–17:00; our site is https://larkfield.example .""",
}

FAULTS = {
    "faults/contradiction": """\
        title: Send something back
        Unused items can be returned within 60 days in the original packaging.""",
    "faults/denial": """\
        title: Towels and bedding
        Opened hygiene goods, personalised goods and gift cards can be returned.""",
    "faults/hours": """\
        title: When we are there
        The store is open Monday to Friday 9:00–17:00.""",
    "faults/duplicate": """\
        title: Express delivery in the UK
        Standard delivery takes 3–5 working days and costs £3.95; from £50 it is free.
        Express delivery costs £7.95 if you order before 14:00.""",
    "faults/dates": """\
        title: Spring offers
        The garden chairs are reduced until 31 March 2025.
        We will open a second shop on 3 May 2026.""",
    "faults/links": """\
        title: Where to read on
        More in [our terms](../legal/terms.md), at [the top](../store.md#nowhere), on
        [our site](https://larkfield) or by [mail](mailto:help at larkfield).
        Also www: [shop](www.larkfield.example), and [pay](javascript:pay).""",
    "faults/terms": """\
        title: Paying by invoice
        Companies need a DUNS number. Their KYC check is done by PayQuick.""",
}


def article(id: str, written: str, updated: date | None = date(2026, 9, 1)) -> Article:
    head, _, body = written.partition("\n")
    lines = "\n".join(line[8:] for line in body.split("\n"))
    title = head.strip().removeprefix("title: ")
    return Article(id, title, lines, updated=updated, file=f"kb/{id}.md", line=5)


def base(*parts: dict[str, str]) -> list[Article]:
    return [article(id, written) for part in parts for id, written in part.items()]


def look(articles: list[Article], **given: object) -> Audit:
    cut = cut_all(articles)
    passages = [passage for one in articles for passage in cut[one.id]]
    index = Index(passages)
    options = {
        "search": lambda question: index.search(question, k=9),
        "questions": ["How long can I return an item?", "is the store open on sunday"],
        "today": TODAY,
        "stale_days": 365,
        **given,
    }
    return audit(articles, passages, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def planted() -> Audit:
    return look(base(CLEAN, FAULTS), questions=["Do you sell bicycles?", "do you sell bicycles"])


def of(found: Audit, kind: str, file: str = "") -> list[Finding]:
    return [f for f in found.findings if f.kind == kind and file in f.file]


def test_nothing_is_found_in_a_clean_base() -> None:
    found = look(base(CLEAN))
    assert [(f.place, f.what) for f in found.findings] == []
    assert (
        summary(found)
        == "5 articles, 6 passages, 2 questions: nothing is wrong that an audit can see"
    )


@pytest.mark.parametrize(
    ("file", "said", "other"),
    [
        ("returns/deadline", "says 30 days, kb/faults/contradiction.md:5 says 60 days", "60 days"),
        ("returns/deadline", "denies what kb/faults/denial.md:5 says", "can be returned."),
        ("store", "says mon–fri 9–18, kb/faults/hours.md:5", "9:00–17:00"),
    ],
)
def test_contradictions_show_both_sentences(
    planted: Audit, file: str, said: str, other: str
) -> None:
    (finding,) = [f for f in of(planted, "contradiction", file) if said in f.what]
    assert other in finding.quotes[1][1]
    assert finding.quotes[0][0] == finding.place


def test_there_are_no_other_contradictions(planted: Audit) -> None:
    assert len(of(planted, "contradiction")) == 3


def test_duplicates_are_found_once(planted: Audit) -> None:
    (finding,) = of(planted, "duplicate")
    assert (finding.place, finding.quotes[1][0]) == (
        "kb/delivery/uk.md:5",
        "kb/faults/duplicate.md:5",
    )


def test_past_dates_are_found(planted: Audit) -> None:
    assert [(f.severity, f.place, f.what) for f in of(planted, "stale")] == [
        ("high", "kb/faults/dates.md:5", "says something ends on 31 March 2025, which has passed"),
        ("medium", "kb/faults/dates.md:6", "speaks of 3 May 2026 as yet to come"),
    ]


def test_broken_links_are_found(planted: Audit) -> None:
    found = of(planted, "link")
    assert sorted((f.line, f.what.split(", which")[0]) for f in found) == [
        (5, "links to #nowhere"),
        (5, "links to ../legal/terms.md"),
        (6, "links to https://larkfield"),
        (6, "links to mailto:help"),
        (7, "links to javascript:pay"),
        (7, "links to www.larkfield.example"),
    ]


def test_unexplained_terms_are_found(planted: Audit) -> None:
    assert [f.what for f in of(planted, "term")] == [
        "does not explain DUNS",
        "does not explain KYC",
        "does not explain PayQuick",
    ]


def test_known_terms_are_not(planted: Audit) -> None:
    found = look(base(FAULTS), known_terms=["DUNS", "KYC", "PayQuick"])
    assert of(found, "term") == []


def test_what_is_to_be_typed_as_it_stands_needs_no_meaning() -> None:
    code = {"codes": "        title: Codes\n        It begins with `STUDY`, never with STUDI."}
    assert [f.what for f in of(look(base(code)), "term")] == ["does not explain STUDI"]


def test_a_term_explained_elsewhere_is_less_bad() -> None:
    two = {**CLEAN, "customs": "        title: Customs\n        The IOSS applies to small parcels."}
    (finding,) = of(look(base(two)), "term")
    assert (finding.severity, finding.what) == (
        "low",
        "does not explain IOSS, as delivery/europe does",
    )


def test_questions_nothing_answers_are_counted(planted: Audit) -> None:
    (finding,) = of(planted, "unanswered")
    assert "bicycles" in finding.what
    assert "was asked 2 times" in finding.what
    assert finding.place == ""


def test_an_article_nobody_reaches_is_found() -> None:
    articles = base(CLEAN)
    cut = cut_all(articles)
    passages = [passage for one in articles for passage in cut[one.id]]
    # Its title is as another's, and it says less about it.
    lost = Article(
        "lost", "Delivery", "Nothing is to be read here.", updated=TODAY, file="kb/lost.md"
    )
    index = Index(passages)
    found = audit(
        [*articles, lost],
        passages,
        search=lambda question: index.search(question, k=9),
        questions=["is the store open"],
        today=TODAY,
        stale_days=365,
    )
    assert [(f.file, f.severity) for f in of(found, "unreached")] == [("kb/lost.md", "low")]


@pytest.mark.parametrize(
    ("updated", "severity", "said"),
    [
        (None, "low", "does not say when it was last checked"),
        (date(2025, 11, 1), "low", "was last checked 389 days ago"),
        (date(2024, 1, 1), "medium", "was last checked 1059 days ago"),
        (date(2027, 1, 1), "medium", "is yet to come"),
    ],
)
def test_old_articles_are_found(updated: date | None, severity: str, said: str) -> None:
    articles = [replace(one, updated=updated) for one in base(CLEAN)[:1]]
    (finding,) = of(look(articles), "stale")
    assert finding.severity == severity
    assert said in finding.what


def test_duplicates_in_other_words_are_found_by_vectors() -> None:
    texts = {
        "a": "You may send unused goods back to us within a month after you received the parcel.",
        "b": "Things that were never used can be returned to the warehouse up to thirty days later",
        "c": "The candles are made of soy wax in Wales by a family that has done so for ages.",
    }
    articles = [
        Article(id, id.upper(), text, updated=TODAY, file=f"{id}.md") for id, text in texts.items()
    ]
    cut = cut_all(articles)
    passages: list[Passage] = [cut[id][0] for id in texts]
    rows = {"a": [1.0, 0.0], "b": [0.98, 0.198997], "c": [0.0, 1.0]}
    vectors = {cut[id][0].digest: rows[id] for id in texts}
    given = {"search": None, "questions": (), "today": TODAY, "stale_days": 365}
    assert of(audit(articles, passages, **given), "duplicate") == []  # type: ignore[arg-type]
    (finding,) = of(audit(articles, passages, vectors=vectors, **given), "duplicate")  # type: ignore[arg-type]
    assert "in other words the same as b.md:1" in finding.what


# What must not be taken for a contradiction, and what must.


def clash(one: tuple[str, str], other: tuple[str, str], language: str = "en") -> list[str]:
    articles = [
        Article(id, title, body, language=language, updated=TODAY, file=f"{id}.md")
        for id, (title, body) in zip("ab", (one, other), strict=True)
    ]
    found = audit(articles, [], search=None, questions=(), today=TODAY, stale_days=365)
    return [f.what for f in of(found, "contradiction")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ("UK", "Delivery takes 3–5 working days."),
            ("Delivery to Europe", "Delivery takes 5–8 working days."),
        ),
        (
            ("Returns", "You can return items within 30 days."),
            ("Sale", "Sale items can be returned within 14 days."),
        ),
        (
            ("Warranty", "The warranty is 2 years."),
            ("Knives", "The warranty for knives is 10 years."),
        ),
        (("Prices", "Standard delivery costs £3.95."), ("Prices", "Express delivery costs £7.95.")),
        (
            ("Gift cards", "Gift cards are valid for 24 months."),
            ("Gifts", "Gift cards are valid for two years."),
        ),
        (("Refunds", "Refunds take 14 days."), ("Money back", "Refunds take two weeks.")),
        (
            ("Prices", "Delivery costs £1,000.00 by ship."),
            ("Ship", "Delivery costs £1000 by ship."),
        ),
        (("Codes", "Student codes can be joined."), ("Codes", "Can student codes not be joined?")),
        (
            ("Mugs", "Mugs are safe in the oven if glazed."),
            ("Mugs", "Mugs are not safe in the oven."),
        ),
    ],
)
def test_exceptions_and_the_same_in_other_words(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert clash(one, other) == []


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        (("Refunds", "Refunds take 5–7 working days after your parcel arrives."),
         ("Money back", "A refund takes 10 working days after the parcel has arrived."), "en"),
        (("Prices", "Standard delivery costs £3.95 in the UK."),
         ("What delivery costs", "UK standard delivery costs £4.95."), "en"),
        (("Points", "Your points expire after 18 months without a purchase."),
         ("Lark Club", "Points expire after 12 months without purchase."), "en"),
        (("Payment", "We accept Klarna for orders in the UK."),
         ("Ways to pay", "We do not accept Klarna for orders in the UK."), "en"),
        (("Versand", "Der Versand kostet 3,95 €."),
         ("Lieferung", "Der Versand kostet 4,95 €."), "de"),
        (("Livraison", "La livraison standard coûte 3,95 €."),
         ("Prix", "La livraison standard coûte 5,95 €."), "fr"),
    ],
)  # fmt: skip
def test_contradictions(one: tuple[str, str], other: tuple[str, str], language: str) -> None:
    assert len(clash(one, other, language)) == 1


@pytest.mark.parametrize(
    ("text", "language", "kinds"),
    [
        ("It costs £1,234.50.", "en", [("money £", (1234.5,))]),
        ("Es kostet 1.234,50 €", "de", [("money €", (1234.5,))]),
        ("within three weeks", "en", [("duration", (21, 21))]),
        ("in 3 to 5 working days", "en", [("duration working", (3, 5))]),
        ("innerhalb von 14 Tagen", "de", [("duration", (14, 14))]),
        ("10 % off", "en", [("share", (10,))]),
        ("Sat 10am–4pm", "en", [("hours 5", (600, 960))]),
        ("by 2 pm", "en", [("time", (840,))]),
        ("100 points", "en", [("count point", (100, 100))]),
        ("on 31 March 2025 and since 2019", "en", []),
    ],
)
def test_quantities(text: str, language: str, kinds: list[tuple[str, tuple[float, ...]]]) -> None:
    assert [(q.kind, q.value) for q in quantities(text, language)[0]] == kinds


@pytest.mark.parametrize(
    "text",
    ["2025-03-31", "31 March 2025", "March 31st, 2025", "31. März 2025", "31/03/2025", "31.3.2025",
     "31 mars 2025", "31 de marzo de 2025", "31 marzo 2025", "31 maart 2025", "31 de março de 2025",
     "31 marca 2025", "March 2025"],
)  # fmt: skip
def test_days_in_many_languages(text: str) -> None:
    assert [day.day for day in days(f"so {text}.")] == [date(2025, 3, 31)]


def test_sentences_know_their_lines() -> None:
    body = "\n".join(
        ["Younger than", "25. The *next* one,", "over lines. And", "", "```", "Code. Here.", "```",
         "<!-- A note.", "Hidden. -->", "## Prices", "- From £5, e.g. mugs. Also [cups](c.md).",
         "| A | B |", "|---|---|", "| C | D |"]
    )  # fmt: skip
    found = [(s.line, s.text, s.headings) for s in sentences(Article("a", "A", body, line=10))]
    assert found == [
        (10, "Younger than 25.", ()),
        (11, "The next one, over lines.", ()),
        (12, "And", ()),
        (20, "From £5, e.g. mugs.", ("Prices",)),
        (20, "Also cups.", ("Prices",)),
        (21, "A: B", ("Prices",)),
        (23, "C: D", ("Prices",)),
    ]


# The report.


def test_the_report_is_the_worst_first(planted: Audit) -> None:
    text = to_text(planted)
    assert text.startswith("12 articles, ")
    assert text.index("To do before going live") < text.index("To do soon")
    assert "kb/faults/dates.md:5: says something ends on 31 March 2025" in text
    assert "→ " in text
    assert max(map(len, text.splitlines())) <= 100
    ranks = [("high", "medium", "low").index(f.severity) for f in planted.findings]
    assert ranks == sorted(ranks)


def test_the_markdown_report_is_a_list_to_tick(planted: Audit) -> None:
    text = to_markdown(planted)
    assert text.count("- [ ] ") == len(planted.findings)
    assert "## To do before going live" in text
    assert "`kb/faults/terms.md:5`" in text


def test_what_articles_say_is_not_markdown_of_the_report() -> None:
    evil = {"a": "        title: A\n        The **XYZ** [is](https://x) <b>|here|</b> `ok`."}
    assert "<b>" not in to_markdown(look(base(evil))).replace("\\<b\\>", "")


# Over everything written for the shop.


@pytest.fixture(scope="module")
def shop() -> list[Article]:
    articles, problems = read_folder(Path(__file__).parents[2] / "data" / "knowledge")
    assert problems == []
    return articles


def test_the_shop_does_not_contradict_itself(shop: list[Article]) -> None:
    start = time.process_time()
    found = look(shop, search=None, questions=())
    assert [f.what for f in found.findings if f.kind in KINDS and f.severity == "high"] == []
    assert [(f.place, f.what) for f in found.findings if f.kind == "term"] == []
    assert time.process_time() - start < 15


def test_a_wrong_sentence_among_the_shop_s_articles_is_found(shop: list[Article]) -> None:
    wrong = Article("x", "Notes", "Gift cards are valid for 12 months.", updated=TODAY, file="x.md")
    found = contradictions(Corpus((*shop, wrong), ()))
    assert any("x.md" in place for f in found for place, _ in f.quotes)
