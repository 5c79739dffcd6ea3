from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.perception.patterns import LONGEST, Index, PatternWrong, compile_pattern, plain


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("My LAWYER!", "my lawyer ."),
        ("l’avocat", "l' avocat"),
        ("can't, CAN’T", "can' t can' t"),
        ("'quoted'", "quoted"),
        ("Größe", "grosse"),
        ("ŁÓDŹ", "lodz"),
        ("law\u200byer law\u00adyer", "lawyer lawyer"),
        ("e-mail  and\u00a0more", "e mail and more"),
        ("One. Two?!\nThree", "one . two . three"),
        ("d.o.b.", "dob ."),
        ("ｆｕｌｌ", "full"),
        ("👍 £40", "40"),
        ("", ""),
    ],
)
def test_what_patterns_see(written: str, seen: str) -> None:
    assert plain(written) == seen


@given(st.text(max_size=80))
def test_what_is_seen_has_single_spaces_and_no_capitals(text: str) -> None:
    seen = plain(text)
    assert "  " not in seen
    assert seen == seen.strip()
    assert seen == seen.casefold()


def test_only_the_beginning_of_an_endless_message_is_seen() -> None:
    assert len(plain("word " * 10_000)) <= LONGEST


@pytest.mark.parametrize(
    ("pattern", "matches", "not_"),
    [
        ("my (lawyer|legal team)", ["my lawyer", "MY legal, team"], ["my team", "amy lawyer"]),
        ("lawyer*", ["lawyers", "lawyer"], ["lawye", "outlawyer"]),
        ("*anwalt", ["Rechtsanwalt", "anwalt"], ["Anwaltskanzlei"]),
        ("can't pay", ["cant pay", "can’t pay", "CAN T PAY"], ["can pay", "cannot pay"]),
        ("l' avocat", ["l'avocat", "L’AVOCAT"], ["avocat"]),
        ("j'ai 12 ans", ["J’ai 12 ans", "jai 12 ans"], ["j'ai 112 ans"]),
        ("Anwält*", ["anwaelte", "Anwälte", "anwalte"], ["anwolte"]),
        ("my (own)? lawyer", ["my lawyer", "my own lawyer"], ["my other lawyer"]),
        ("lawyer (now)?", ["lawyer", "lawyer now"], ["lawyers"]),
        ("(oh)? my lawyer", ["my lawyer", "oh my lawyer"], ["oh lawyer"]),
        ("my ... lawyer", ["my lawyer", "my very own good old lawyer"], ["my a b c d e lawyer"]),
        ("my ... lawyer", ["my dear lawyer"], ["It is my. Dear lawyer"]),
        ("self harm", ["self-harm", "SELF harm"], ["selfharm"]),
        ("self-harm", ["self-harm", "self harm", "selfharm"], ["self a harm"]),
        ("(a (b|c d)|e) f", ["a b f", "a c d f", "e f"], ["a f", "a c f"]),
    ],
)
def test_the_notation(pattern: str, matches: list[str], not_: list[str]) -> None:
    index = Index([compile_pattern(pattern)])
    for text in matches:
        assert list(index.matches(plain(f"well {text} indeed"))), text
    for text in not_:
        assert not list(index.matches(plain(f"well {text} indeed"))), text


@pytest.mark.parametrize(
    "written",
    [
        *("", "(", ")", "a|b", "(a", "a)", "(a|)", "()", "a?", "...", "a ...", "... a", "a+"),
        *("ab*", "(a)? ... b", "a.b", "[a]", "^a", "*", "(?a)", "a (b? c?)"),
    ],
)
def test_what_is_no_pattern_is_told(written: str) -> None:
    with pytest.raises(PatternWrong):
        compile_pattern(written)


WORDS = ["my", "lawyer", "l'avocat", "can't", "no", "é", "12", "anwaelte", ".", "a", "self-harm"]
PATTERNS = [
    *("my ... lawyer", "l' avocat", "can't", "(my|no) (lawyer)?", "(é|a) 12", "*wälte"),
    *("self-harm", "anwält*", "a a", "(no|12) ... (my|a)", "can't ... no"),
]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_the_index_passes_no_pattern_over(words: list[str]) -> None:
    patterns = [compile_pattern(written) for written in PATTERNS]
    text = plain(" ".join(words))
    found = {n for n, _, _ in Index(patterns).matches(text)}
    assert found == {n for n, pattern in enumerate(patterns) if pattern.regex.search(text)}
