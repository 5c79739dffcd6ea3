from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.perception.escalation import Escalation
from bot.perception.escalation_file import ESCALATION_FILE, load_escalation, parse_escalation
from bot.settings import SettingsInvalid

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "cases"
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl")
TOPICS = {
    *("self_harm", "medical", "bereavement", "discrimination", "regulator", "legal"),
    *("hardship", "minors", "accessibility", "press"),
}


def cases() -> list[tuple[str, str, str]]:
    """Topic, language and message of all that is written down."""
    rows = []
    for path in sorted(CASES.glob("sensitive*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if not line.startswith("#"):
                topic, language, text = line.split(" | ")
                rows.append((topic, language, text))
    return rows


ROWS = cases()


@pytest.fixture(scope="module")
def rules() -> Escalation:
    return load_escalation(ROOT / ESCALATION_FILE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("topic", [*sorted(TOPICS), "-"])
def test_what_is_a_sensitive_matter(rules: Escalation, topic: str, language: str) -> None:
    rows = [text for t, spoken, text in ROWS if (t, spoken) == (topic, language)]
    assert rows
    wrong = {}
    for text in rows:
        found = rules.match(text, language)
        if (found.topic if found else "-") != topic:
            wrong[text] = found and found.why
    assert wrong == {}


def test_the_cases_are_of_all_topics_and_languages() -> None:
    assert len(ROWS) >= 200
    sensitive = {(topic, language) for topic, language, _ in ROWS if topic != "-"}
    assert sensitive >= {(topic, language) for topic in TOPICS for language in LANGUAGES}
    assert {language for topic, language, _ in ROWS if topic == "-"} == set(LANGUAGES)


def test_every_topic_speaks_every_language(rules: Escalation) -> None:
    assert set(rules.topics) == TOPICS
    said = {}
    for topic in TOPICS:
        for language in LANGUAGES:
            found = rules.by_topic(topic, language, "a model")
            assert found is not None
            assert found.why == f"{topic}: a model"
            assert found.says
            assert "{" not in found.says
            said[topic, language] = found.says
    assert len(set(said.values())) == len(said)
    assert len({rules.waiting(language) for language in LANGUAGES}) == len(LANGUAGES)


def test_a_program_does_not_feign_feelings(rules: Escalation) -> None:
    feelings = re.compile(
        r"\b(sorry|condolence|understand how|we care|es tut uns leid|beileid|désolé|condoléances"
        r"|lamentamos|lo sentimos|ci dispiace|condoglianze|het spijt|sentimos muito|przykro)",
        re.IGNORECASE,
    )
    for topic in TOPICS:
        for language in LANGUAGES:
            found = rules.by_topic(topic, language, "")
            assert found is not None
            assert not feelings.search(found.says), found.says


def test_self_harm_names_a_crisis_line_of_the_language(rules: Escalation) -> None:
    for language, number in {"en": "116 123", "de": "0800 111 0 111", "fr": "3114"}.items():
        found = rules.by_topic("self_harm", language, "")
        assert found is not None
        assert number in found.says
        assert found.priority == "urgent"


def test_the_most_urgent_topic_wins_and_all_are_named(rules: Escalation) -> None:
    text = "my husband died, my solicitor will write, and now I want to die too"
    found = rules.match(text, "en")
    assert found is not None
    assert (found.topic, found.priority) == ("self_harm", "urgent")
    assert re.findall(r"(\w+): pattern", found.why) == ["self_harm", "bereavement", "legal"]


def test_the_reason_quotes_the_pattern_never_the_customer(rules: Escalation) -> None:
    found = rules.match("my LAWYER Mr Snodgrass", "en")
    assert found is not None
    assert "Snodgrass" not in found.why
    assert "LAWYER" not in found.why
    assert "(en)" in found.why


def test_a_false_friend_excuses_itself_only(rules: Escalation) -> None:
    assert rules.match("I'm dying to know when it comes", "en") is None
    found = rules.match("I'm dying to know who died. My mother died.", "en")
    assert found is not None
    assert found.topic == "bereavement"


@pytest.mark.parametrize(
    "text", ["", " ", "👍", "1042", "\u200b" * 50, "(" * 300, "a'b'" * 4000], ids=len
)
def test_anything_may_be_written(rules: Escalation, text: str) -> None:
    assert rules.match(text, "xx") is None


def test_a_language_without_text_gets_the_default_one(rules: Escalation) -> None:
    for language in ("ja", "en-GB", "en_US", ""):
        found = rules.match("I will sue you", language)
        english = rules.match("I will sue you", "en")
        assert found is not None
        assert english is not None
        assert found.says == english.says


GOOD = """\
default: en
llm: every
crisis_line: {en: call 112}
waiting: {en: Please wait.}
# What people see to:
topics:
  legal:
    about: threatens with a lawyer
    priority: high
    intents: [threat]
    patterns:
      en: [my (lawyer|solicitor), lawsuit*]
    unless:
      en:
        - my lawyer lamp
    says: {en: "A person comes; {crisis_line}."}
"""


def test_the_smallest_file_is_read() -> None:
    rules = parse_escalation(GOOD, intents=("threat", "greet"))
    assert rules.llm == "every"
    assert rules.topics == {"legal": "threatens with a lawyer"}
    found = rules.by_intent("threat", "de")
    assert found is not None
    assert (found.topic, found.why) == ("legal", "legal: intent threat")
    assert found.says == "A person comes; call 112."
    assert rules.by_intent("greet", "en") is None
    assert rules.by_topic("weather", "en", "") is None
    assert rules.match("my lawyer lamp is here", "en") is None
    assert rules.match("my lawyer lamp is here. My lawyer too", "en") is not None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("default: en\n", "", "1: there is no default, should be a language, as in 'en'"),
        ("default: en", "default: english", "1: default is 'english', should be a language"),
        ("default: en", "default: fr", "4: waiting has no text in fr, the default language; add"),
        ("llm: every", "llm: always", "2: llm is 'always', should be never, fallback or every"),
        ("waiting:", "wating:", "4: wating is not a known key; did you mean waiting?"),
        ("waiting: {en: Please wait.}", "waiting: x", "4: waiting is text, should be a mapping"),
        ("{en: Please wait.}", "{english: Wait.}", "4: waiting has a key that is no language code"),
        ("Please wait.", "x" * 601, "4: waiting.en has more than 600 characters; shorten it"),
        ("{en: call 112}", "{de: call}", "16: topics.legal.says.en wants a crisis line; add"),
        ("{crisis_line}.", "{phone}.", "16: topics.legal.says.en has a placeholder that is not"),
        ("  legal:", "  Legal Stuff:", "7: topics has a key that is no name, should be small"),
        (
            "    about: threatens with a lawyer\n",
            "",
            "7: topics.legal has no about; it is",
        ),
        ("high", "hihg", "9: topics.legal.priority is 'hihg', should be low, normal, high or"),
        (
            "[threat]",
            "[thraet]",
            "10: topics.legal.intents[0] is 'thraet', which is no intent",
        ),
        ("[threat]", "[threat, threat]", "10: topics.legal.intents[1]: 'threat' is also in topics"),
        ("[threat]", "threat", "10: topics.legal.intents is text, should be a list of texts"),
        (
            "my (lawyer|solicitor)",
            "my (lawyer",
            "12: topics.legal.patterns.en[0] has a '(' that",
        ),
        ("my (lawyer|solicitor)", "my lawyer)", "12: topics.legal.patterns.en[0] has a ')' or '|'"),
        ("my (lawyer|solicitor)", "my (a|)", "12: topics.legal.patterns.en[0] is empty, or has"),
        (
            "my (lawyer|solicitor)",
            "my lawyer +",
            "12: topics.legal.patterns.en[0] has '+'",
        ),
        ("lawsuit*", "la*", "12: topics.legal.patterns.en[1] has 'la*', give '*' at least 3"),
        ("lawsuit*", "... sue", "12: topics.legal.patterns.en[1] begins or ends with '...'"),
        ("lawsuit*", "sue?", "12: topics.legal.patterns.en[1] has nothing that must be there"),
        (
            "lawsuit*",
            "My (LAWYER|solicitor)",
            "12: topics.legal.patterns.en[1] is there twice",
        ),
        ("my lawyer lamp", "my lawyer $", "15: topics.legal.unless.en[0] has '$', patterns are"),
        (
            "    unless:",
            "    unles:",
            "13: topics.legal.unles is not a known key; did you",
        ),
        (
            "    says:",
            "    says:\n      fr:\n    sayz:",
            "16: topics.legal.says has no text in en",
        ),
        ("about: threatens", "about: [a]\n    x: threatens", "8: topics.legal.about is a list"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(SettingsInvalid) as raised:
        parse_escalation(GOOD.replace(old, new, 1), intents=("threat",))
    problems = [str(problem) for problem in raised.value.problems]
    assert any(problem.startswith(f"escalation.yml:{told}") for problem in problems), problems


def test_everything_wrong_is_told_at_once() -> None:
    text = GOOD.replace("high", "higher").replace("lawsuit*", "la*").replace("every", "often")
    with pytest.raises(SettingsInvalid) as raised:
        parse_escalation(text)
    assert [problem.line for problem in raised.value.problems] == [2, 9, 12]


@pytest.mark.parametrize("text", ["", "- a", "text", "topics: 3", "a: [", "topics: {legal: 1}"])
def test_a_file_that_is_none_of_it_is_told(text: str) -> None:
    with pytest.raises(SettingsInvalid):
        parse_escalation(text)


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_escalation(tmp_path / "escalation.yml")
