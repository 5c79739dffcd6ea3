"""``bot knowledge import|audit|gaps``, as typed, on a real store."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot import serve
from bot.cli import settings_of
from bot.knowledge.articles import read_folder
from bot.knowledge_report import knowledge_report
from bot.knowledge_verbs import add_verbs
from bot.llm.errors import PromptInvalid
from bot.message import Text, encode, utcnow
from bot.settings import Llm, Settings
from bot.store.gaps import UNANSWERED, Gap
from bot.store.messages import Message
from bot.store.turns import Turn


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    endpoints, credentials = tmp_path / "endpoints.yml", tmp_path / "credentials.yml"
    endpoints.write_text(f"knowledge:\n  dir: {tmp_path}/knowledge\n")
    credentials.write_text("{}\n")
    given = argparse.Namespace(endpoints=endpoints, credentials=credentials, var=tmp_path / "var")
    return settings_of(given)


async def run(settings: Settings, *typed: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_verbs(parser.add_subparsers(dest="verb", required=True))
    return await knowledge_report(parser.parse_args([str(word) for word in typed]), settings)


def article(settings: Settings, name: str, text: str) -> None:
    file = Path(settings.knowledge.dir) / f"{name}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"---\ntitle: {name}\nupdated: {utcnow().date()}\n---\n{text}\n")


async def asked(settings: Settings, *questions: str) -> None:
    """Questions that were put to the knowledge base and not answered; Kim answered the first."""
    store = serve.store_of(settings)
    now = utcnow() - timedelta(hours=1)
    for n, question in enumerate(questions):
        id, talk = f"line:shop:{n}", f"line:shop:u{n}"
        await store.insert(
            Turn(id=id, conversation=talk, seq=1, at=now, decision={
                "answered": {"how": "none", "question": question, "language": "en"}
            })
        )  # fmt: skip
        await store.insert(
            Gap(id=id, conversation=talk, why=UNANSWERED, question=question, language="en", at=now)
        )
    await store.insert(
        Message(
            id="k1", direction="out", conversation="line:shop:u0", channel="line", account="shop",
            status="sent", content=encode(Text("We rent tables for £20 a day.")), agent="kim",
            arrived=int(utcnow().timestamp() * 1e6), sent=utcnow(), due=utcnow(),
        )
    )  # fmt: skip
    await store.close()


async def test_a_folder_is_imported_below_the_articles(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "Mugs.html").write_text("<title>Our mugs</title><main><p>Made of clay.</p></main>")
    assert await run(settings, "import", source) == 0
    assert "1 written, 0 beside, 0 unchanged, 0 not imported" in capsys.readouterr().out
    (made,), _ = read_folder(Path(settings.knowledge.dir))
    assert (made.id, made.title) == ("imported/mugs", "Our mugs")
    (source / "scan.pdf").write_bytes(b"no pdf")
    assert await run(settings, "import", source, "--to", tmp_path / "other", "--agents") == 1
    assert "scan.pdf: is no PDF" in capsys.readouterr().err
    assert read_folder(tmp_path / "other")[0][0].audience == "agents"


async def test_a_folder_that_is_not_there_is_said(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(settings, "import", tmp_path / "gone") == 1
    assert "gone: is no folder" in capsys.readouterr().err
    assert await run(settings, "import", "--sitemap", tmp_path) == 1
    assert "holds no sitemap.xml" in capsys.readouterr().err


async def test_what_gives_no_article_is_said_in_a_line_each(
    settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    assert await run(settings, "import", source) == 1
    assert capfd.readouterr().err == f"{source}: holds no HTML, PDF or DOCX\n"
    (source / "a.pdf").write_bytes(b"%PDF-1.4 nonsense")
    (source / "b.html").write_text("")
    (source / "c.docx").write_bytes(b"PK\x03\x04")
    assert await run(settings, "import", source) == 1
    # Nothing from the libraries, which name no file.
    assert capfd.readouterr().err.splitlines() == [
        "a.pdf: is no PDF that can be read (PdfStreamError)",
        "b.html: is empty",
        "c.docx: is no Word document (.docx) that can be unpacked",
    ]
    assert await run(settings, "import", source, "--to", source / "b.html") == 1
    assert "b.html: is no folder, articles cannot be written" in capfd.readouterr().err


async def test_drafts_need_their_prompt(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(settings, "Do you rent tables?")
    model = Llm(url="http://127.0.0.1:9/v1", model="m")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PromptInvalid, match=r"draft_article\.md: is not there"):
        await run(replace(settings, llm=(model,)), "gaps", "--drafts", tmp_path / "drafts")


async def test_the_audit_is_printed_and_fails_on_what_is_high(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    article(settings, "mugs", "Mugs are made of clay.")
    assert await run(settings, "audit") == 0
    assert "nothing is wrong" in capsys.readouterr().out
    await asked(settings, *["Do you rent tables?"] * 5)
    article(settings, "cups", "See [mugs](gone.md).")
    assert await run(settings, "audit", "--markdown") == 1
    out = capsys.readouterr().out
    assert "links to gone.md, which is no article" in out
    assert "“Do you rent tables?” was asked 5 times, and no article answers it" in out


async def test_an_audit_of_nothing_is_said(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(settings, "audit") == 1
    assert "knowledge: is no folder" in capsys.readouterr().err
    Path(settings.knowledge.dir).mkdir()
    assert await run(settings, "audit") == 1
    assert "knowledge: has no usable article" in capsys.readouterr().err


async def test_gaps_are_shown_drafted_and_closed(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await asked(settings, "Do you rent tables?", "do you rent tables", "Any jobs?")
    drafts = tmp_path / "drafts"
    assert await run(settings, "gaps", "--drafts", drafts, "--limit", "1") == 0
    out = capsys.readouterr().out
    assert "  1. 2 × " in out
    assert "open gaps: 3, of so many questions: 2, 1 not shown" in out
    (draft,), problems = read_folder(drafts)
    assert problems == []
    assert "We rent tables for £20 a day." in draft.body
    assert await run(settings, "gaps", "--close", "1") == 0
    assert "2 closed: " in capsys.readouterr().out
    assert await run(settings, "gaps", "--close", "9") == 1
    assert "9: `bot knowledge gaps` shows 1 to 1" in capsys.readouterr().err
    assert await run(settings, "gaps") == 0
    assert "open gaps: 1, of so many questions: 1" in capsys.readouterr().out
