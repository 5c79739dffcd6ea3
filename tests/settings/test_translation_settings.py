"""The section `translation` of endpoints.yml."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import Settings, SettingsInvalid, load
from bot.settings.schema import Translation


def loaded(folder: Path, text: str, **environ: str) -> Settings:
    (folder / "endpoints.yml").write_text(text)
    return load(channels=(), schema_of=lambda channel: object, cwd=folder, environ=environ)


def test_by_default_the_language_models_translate_if_there_are_any(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").translation == Translation("llm", {}, ())


def test_models_are_by_pair_from_file_and_environment(tmp_path: Path) -> None:
    text = (
        "translation:\n  engine: marian\n  models: {pt-en: '${DIR}/a', en-pt: org/b}\n  own: [de]\n"
    )
    more = {"DIR": "/m", "FRONTDESK__TRANSLATION__MODELS__FR-EN": "org/c"}
    found = loaded(tmp_path, text, **more).translation
    assert found.models == {"pt-en": "/m/a", "en-pt": "org/b", "fr-en": "org/c"}
    assert (found.engine, found.own) == ("marian", ("de",))


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("{engine: marian}", "engine marian needs models"),
        ("{engine: google}", "llm, marian or none"),
        ("{models: {pten: x}}", "a key should be two languages, as in pt-en"),
        ("{models: [pt-en]}", "translation.models is a list, should be a mapping of texts"),
        ("{models: {pt-en: [x]}}", "translation.models has an entry that is no text"),
        ("{own: [German]}", "is not a two-letter code"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, section: str, told: str) -> None:
    with pytest.raises(SettingsInvalid, match=told):
        loaded(tmp_path, f"translation: {section}\n")
