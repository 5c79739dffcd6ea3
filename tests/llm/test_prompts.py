from __future__ import annotations

from pathlib import Path

import pytest

from bot.llm.errors import PromptInvalid
from bot.llm.prompts import KNOWN, load_prompt, load_prompts

ROOT = Path(__file__).parents[2]
OURS = ROOT / "data/prompts"


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "sensitive.md").write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", KNOWN)
def test_the_prompts_in_data_can_be_used(name):
    prompt = load_prompt(name, OURS)
    filled = prompt.fill(**{value: f"<{value}>" for value in KNOWN[name]})
    assert "{{" not in filled
    # A summary is free text, a sentence a line.
    assert ("JSON object" in filled) == (name != "summary")
    assert all(f"<{value}>" in filled for value, must in KNOWN[name].items() if must)


def test_all_at_once_and_rendered_by_name():
    prompts = load_prompts(OURS)
    text = prompts.render("sensitive", {"topics": "- legal: a lawyer", "language": "de"})
    assert "- legal: a lawyer" in text
    assert "in de." in text


def test_values_are_put_in_once(tmp_path):
    prompt = load_prompt("sensitive", written(tmp_path, "a {{topics}} b {{ language }} c"))
    assert prompt.fill(topics="{{language}}", language=r"\1 {{topics}}") == (
        r"a {{language}} b \1 {{topics}} c"
    )
    assert prompt.tokens == 500


def test_values_that_a_file_does_without_are_left_out(tmp_path):
    prompt = load_prompt("sensitive", written(tmp_path, "---\ntokens: 90\n---\n{{topics}}"))
    assert (prompt.fill(topics="t", language="de"), prompt.tokens) == ("t", 90)
    with pytest.raises(KeyError):
        prompt.fill(language="de")


def test_values_that_need_not_be_given_are_empty(tmp_path):
    prompt = load_prompt("sensitive", written(tmp_path, "{{topics}}, {{language}}."))
    assert prompt.fill(topics="t") == "t, ."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("---\ntokens: 90\n---\n\n{{topics}} {{topic}}", r":5: there is no .*topics\?.*language"),
        ("one\n{{}} {{topics}}", ":2: there is no placeholder"),
        ("one\n\ntwo\n", r":3: \{\{topics\}\} is missing; known are language, topics"),
        ("{{topics}}\n{{language", ":2: a placeholder begins and does not end"),
        ("---\ntokens: many\n---\n{{topics}}", ":2: tokens should be a whole number from 16"),
        ("---\ntokens: 4\n---\n{{topics}}", ":2: tokens should be"),
        ("---\nmodel: x\n---\n{{topics}}", ":2: 'model' is not known here"),
        ("---\ntokens: 90\n{{topics}}", "'{{topics}}' is not known|does not end"),
        ("---\ntokens: 90\n", ":1: the front matter does not end"),
        ("", r":1: \{\{topics\}\} is missing"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, says):
    with pytest.raises(PromptInvalid, match=says) as wrong:
        load_prompt("sensitive", written(tmp_path, text))
    assert "sensitive.md:" in str(wrong.value)


def test_all_that_are_wrong_are_told_at_once(tmp_path):
    written(tmp_path, "{{topics}}")
    with pytest.raises(PromptInvalid) as wrong:
        load_prompts(tmp_path)
    told = str(wrong.value).splitlines()
    assert [line.partition(": ")[0] for line in told] == [
        str(tmp_path / f"{name}.md")
        for name in (
            *("answer", "resolve", "rewrite", "translate"),
            *("summary", "picture", "draft_article"),
        )
    ]


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(PromptInvalid, match=r"sensitive\.md: is not there"):
        load_prompt("sensitive", tmp_path)
    (tmp_path / "sensitive.md").write_bytes(b"\xff\xfe{{topics}}")
    with pytest.raises(PromptInvalid, match="a text in UTF-8"):
        load_prompt("sensitive", tmp_path)
