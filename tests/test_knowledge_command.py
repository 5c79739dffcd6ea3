"""``bot knowledge sync|search``, as typed, on a real store, by words alone."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from bot import serve
from bot.cli import settings_of
from bot.knowledge.stored import load
from bot.knowledge_command import knowledge
from bot.knowledge_verbs import add_verbs
from bot.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    endpoints, credentials = tmp_path / "endpoints.yml", tmp_path / "credentials.yml"
    endpoints.write_text(f"knowledge:\n  dir: {tmp_path}/knowledge\n")
    credentials.write_text("{}\n")
    given = argparse.Namespace(endpoints=endpoints, credentials=credentials, var=tmp_path / "var")
    return settings_of(given)


def typed(*words: str | Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_verbs(parser.add_subparsers(dest="verb", required=True))
    return parser.parse_args([str(word) for word in words])


async def run(settings: Settings, *words: str | Path) -> int:
    return await knowledge(typed(*words), settings)


def article(settings: Settings, id: str, text: str, **front: str) -> Path:
    file = Path(settings.knowledge.dir) / f"{id}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    head = "".join(f"{key}: {value}\n" for key, value in {"title": id, **front}.items())
    file.write_text(f"---\n{head}---\n{text}\n")
    return file


def shop(settings: Settings) -> None:
    article(settings, "returns/sale", "Sale items can be returned within 14 days.")
    article(settings, "delivery", "See [sale](returns/sale.md). Parcels take 3–5 working days.")
    article(settings, "fraud", "Refunds of parcels above £500 need approval.", audience="agents")
    article(settings, "versand", "Parcels: der Versand dauert 3–5 Werktage.", language="de")


async def known(settings: Settings) -> dict[str, str]:
    """The first passage of each article that the store holds."""
    store = serve.store_of(settings)
    found = {passage.article: passage.text for passage in reversed(await load(store))}
    await store.close()
    return found


async def test_files_are_taken_over_and_found(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    shop(settings)
    assert await run(settings, "sync") == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "+ delivery",
        "+ fraud",
        "+ returns/sale",
        "+ versand",
        "4 added, 0 changed, 0 removed, 0 unchanged, 0 passages embedded; edition 1",
    ]
    assert said.err == ""
    assert await run(settings, "search", "can", "I", "return", "sale", "items?", "-k", "1") == 0
    said = capsys.readouterr()
    first, heading, text = said.out.splitlines()
    assert first.startswith(" 1. ")
    assert first.endswith("  returns/sale#0")
    assert "meaning 0.00, words " in first
    assert heading.strip() == "returns/sale"
    assert text.strip() == "Sale items can be returned within 14 days."


async def test_what_changes_is_told_and_the_same_again_is_nothing(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    shop(settings)
    await run(settings, "sync")
    old = article(settings, "fraud", "Ask Kim.", audience="agents")
    old.rename(old.with_name("scams.md"))
    (Path(settings.knowledge.dir) / "versand.md").unlink()
    article(settings, "returns/sale", "Sale items can be returned within 21 days.")
    capsys.readouterr()
    assert await run(settings, "sync") == 0
    assert capsys.readouterr().out.splitlines() == [
        "+ scams",
        "~ returns/sale",
        "- fraud",
        "- versand",
        "1 added, 1 changed, 2 removed, 1 unchanged, 0 passages embedded; edition 2",
    ]
    assert await run(settings, "sync") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("0 added, 0 changed, 0 removed, 3 unchanged")
    assert line.endswith("edition 2")


async def test_a_broken_file_is_told_and_keeps_what_was_known_of_it(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    shop(settings)
    await run(settings, "sync")
    before = await known(settings)
    broken = article(settings, "returns/sale", "No days.", udpated="2026-03-14")
    bad = Path(settings.knowledge.dir) / "bad.md"
    bad.write_bytes(b"# Caf\xe9\n\nText.\n")
    article(settings, "mugs", "Mugs are made of clay.")
    capsys.readouterr()
    assert await run(settings, "sync") == 1
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        f"{bad}:1: is not UTF-8 text; save the file as UTF-8",
        f"{broken}:3: has the unknown key udpated; did you mean updated?",
        "2 not taken over, see above; what was known of them stays as it was",
    ]
    # Links to it, in what is right itself, are as they were too.
    assert said.out.splitlines()[:-1] == ["+ mugs"]
    assert await known(settings) == {**before, "mugs": "Mugs are made of clay."}
    article(settings, "returns/sale", "Within 21 days.")
    bad.unlink()
    assert await run(settings, "sync") == 0
    assert (await known(settings))["returns/sale"] == "Within 21 days."


async def test_an_empty_folder_is_refused_unless_it_is_meant(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop(settings)
    await run(settings, "sync")
    empty = tmp_path / "empty"
    assert await run(settings, "sync", "--dir", empty) == 1
    assert f"{empty}: is no folder, so nothing was changed" in capsys.readouterr().err
    empty.mkdir()
    assert await run(settings, "sync", "--dir", empty) == 1
    assert f"{empty}: has no usable article, so nothing was changed" in capsys.readouterr().err
    assert len(await known(settings)) == 4
    assert await run(settings, "sync", "--dir", empty, "--allow-empty") == 0
    assert await known(settings) == {}
    capsys.readouterr()
    assert await run(settings, "search", "sale") == 1
    assert "there are no articles; `bot knowledge sync` takes them over" in capsys.readouterr().err


async def test_a_search_is_for_customers_in_all_languages_unless_told(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    shop(settings)
    article(settings, "pans", "Parcels with pans are heavy.", product="pans")
    await run(settings, "sync")

    async def found(*words: str) -> set[str]:
        capsys.readouterr()
        assert await run(settings, "search", "parcels", *words) == 0
        lines = capsys.readouterr().out.splitlines()
        return {line.split()[-1].partition("#")[0] for line in lines if line[:2].strip()}

    assert await found() == {"delivery", "versand", "pans"}
    assert await found("--agents") == {"delivery", "versand", "pans", "fraud"}
    assert await found("--language", "de") == {"versand"}
    assert await found("--product", "mugs") == {"delivery", "versand"}
    assert await run(settings, "search", "zzz", "--language", "fr") == 0
    assert "nothing was found" in capsys.readouterr().out


async def test_without_the_model_that_is_set_articles_are_found_by_words(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop(settings)
    with (tmp_path / "endpoints.yml").open("a") as file:
        file.write(f"  embeddings: {tmp_path}/gone\n")
    given = argparse.Namespace(
        endpoints=tmp_path / "endpoints.yml",
        credentials=tmp_path / "credentials.yml",
        var=tmp_path / "var",
    )
    assert await run(settings_of(given), "sync") == 1
    said = capsys.readouterr()
    assert len(await known(settings)) == 4
    assert said.err.startswith("knowledge.embeddings: the model ")
    assert said.err.endswith("no such folder; articles are found by words alone until it can be\n")


async def test_a_store_that_cannot_be_opened_is_said(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop(settings)
    (tmp_path / "var").write_text("a file where the folder should be")
    for words in (("sync",), ("search", "sale")):
        assert await run(settings, *words) == 1
        assert capsys.readouterr().err.startswith("the store: ")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("search", "x", "-k", "500"), "argument -k: 500 is not a whole number from 1 to 100"),
        (("search", "x", "--language", "german"), "german is not a two-letter code such as en"),
        (("import", "x", "--language", "EN"), "EN is not a two-letter code such as en"),
        (("gaps", "--limit", "0"), "argument --limit: 0 is not a whole number from 1 to 1000"),
    ],
)
def test_what_is_typed_wrong_is_said_in_a_line(
    words: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        typed(*words)
    assert ended.value.code == 2
    assert why in capsys.readouterr().err.splitlines()[-1]
