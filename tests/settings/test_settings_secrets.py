"""However settings are broken, what is shown of them holds no secret."""

from __future__ import annotations

import io
import tempfile
import traceback
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from settings_kit import lines_of, load_from

from bot.check import describe
from bot.settings import SettingsInvalid, secrets_of
from tests.kit.dice import examples

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
HEX = "c0ffee254729296a45a3885639ac7e10"
WORD = "hunter2hunter2"
SECRETS = (TOKEN, HEX, WORD)
ENVIRON = {"TOKEN": TOKEN, "HEX": HEX, "WORD": WORD}

FLOW = f"telegram: [{{account: shop, token: {TOKEN}, secret_token: {HEX}, mode: webhook}}]\n"
BLOCK = f"""telegram:
- account: shop
  mode: webhook
  token: "{TOKEN}"
  secret_token: {WORD}
sms:
- account: shop
  account_sid: AC1
  auth_token: {HEX}
  from: '+15550100'
"""
EXPANDED = "telegram: [{account: shop, token: ${TOKEN}, secret_token: ${HEX}, mode: webhook}]\n"
ENDPOINTS = f"""store:
  url: mongodb://bot:{WORD}@db.example.net/frontdesk
redis: {{url: 'redis://:{HEX}@cache/0'}}
llm:
- url: https://llm.example.net/v1
  model: m
  api_key: {TOKEN}
media: {{url: 's3://shop', access_key: {WORD}, secret_key: {HEX}, secret: {HEX}}}
"""


def fragments(secret: str, size: int = 12) -> list[str]:
    return [secret[i : i + size] for i in range(len(secret) - size + 1)]


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if any(part in text for part in fragments(secret))]


def shown_of(endpoints: str, credentials: str) -> str:
    """Return everything that loading shows anybody: problems, tracebacks, reprs, warnings."""
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            loaded = load_from(Path(directory), endpoints, credentials, ENVIRON)
            print(repr(loaded), str(loaded), *describe(loaded), file=out)
        except SettingsInvalid as error:
            print(repr(error), *map(repr, error.problems), file=out)
            print(*traceback.format_exception(error), file=out)
        print(*[w.message for w in caught], file=out)
    return out.getvalue()


def outside_secrets(text: str) -> list[int]:
    hidden: set[int] = set()
    for secret in SECRETS:
        at = text.find(secret)
        hidden.update(range(at, at + len(secret)) if at >= 0 else ())
    return [i for i in range(len(text)) if i not in hidden]


@st.composite
def mistyped(draw: st.DrawFn, text: str, most: int = 3) -> str:
    """Return `text` with typing errors beside its secrets, at most one of each kind."""
    kinds = draw(st.permutations(["delete", "insert", "replace"]))
    for kind in kinds[: draw(st.integers(1, most))]:
        places = outside_secrets(text)
        at = draw(st.sampled_from(places))
        new = draw(
            st.sampled_from([*list(" \n\t:-,[]{}'\"&*!|>#%@?${x\x00"), "${", "\n- ", "!!int "])
        )
        if kind == "delete":
            end = at + draw(st.integers(1, 6))
            text = (
                text[:at]
                + "".join(c for i, c in enumerate(text[at:end], at) if i not in places)
                + text[end:]
            )
        else:
            text = text[:at] + new + text[at + (kind == "replace") :]
    return text


def test_the_measure_of_leaks_finds_one() -> None:
    assert leaks(f"has a wrong value '{HEX[3:20]}…'") == [HEX]
    assert leaks("telegram[0].token is wrong") == []


@pytest.mark.parametrize("credentials", [FLOW, BLOCK, EXPANDED])
def test_what_is_shown_of_good_settings_holds_no_secret(credentials: str) -> None:
    shown = shown_of(ENDPOINTS, credentials)
    assert "shop" in shown
    assert "db.example.net/frontdesk" in shown
    assert leaks(shown) == []


@settings(max_examples=examples(200), deadline=None)
@given(st.sampled_from([FLOW, BLOCK]).flatmap(mistyped))
def test_typing_errors_in_credentials_show_no_secret(credentials: str) -> None:
    assert leaks(shown_of("", credentials)) == []


@settings(max_examples=examples(150), deadline=None)
# One error: with two, user and password can become the name of a host as good as any.
@given(mistyped(ENDPOINTS, most=1))
def test_typing_errors_in_endpoints_show_no_secret(endpoints: str) -> None:
    assert leaks(shown_of(endpoints, "")) == []


@settings(max_examples=examples(100), deadline=None)
@given(mistyped(EXPANDED))
def test_typing_errors_beside_variables_show_no_secret(credentials: str) -> None:
    assert leaks(shown_of("", credentials)) == []


@pytest.mark.parametrize(
    "endpoints",
    [
        "server: {port: ${HEX}}",
        "server: {host: 'http://${HEX}'}",
        "sandbox: {host: ${HEX}}",
        "store: {url: 'mysql://${HEX}'}",
        "llm: [{url: 'ftp://${WORD}', model: m}]",
        "limits: {turn_seconds: ${WORD}}",
        'media: {dir: "${HEX}\\n"}',
        "media: {url: 's3://${HEX}:${WORD}@shop'}",
        "media: {url: 's3://shop', endpoint: '${HEX}'}",
        "media: {url: 's3://shop', access_key: '${HEX}'}",
        "media: {secret_key: '${HEX}'}",
    ],
)
def test_a_wrong_value_from_a_variable_is_not_quoted(endpoints: str, tmp_path: Path) -> None:
    found = lines_of(tmp_path, endpoints, None, ENVIRON)
    assert len(found) == 1
    assert leaks(found[0]) == []


@pytest.mark.parametrize(
    "path",
    ["TELEGRAM__0__TOKEN", "STORE__URL", "LLM__0__API_KEY", "TELEGRAM__0__SECRET_TOKEN"],
)
def test_a_wrong_secret_in_an_override_is_not_quoted(path: str, tmp_path: Path) -> None:
    found = lines_of(tmp_path, None, None, {f"FRONTDESK__{path}": f"{HEX}\n{TOKEN}"})
    assert any(f"FRONTDESK__{path} has" in line for line in found)
    assert leaks("\n".join(found)) == []


def test_the_secrets_of_an_account_are_known_for_scrubbing(tmp_path: Path) -> None:
    account = load_from(tmp_path, None, FLOW).channels["telegram"][0]
    assert secrets_of(account) == (TOKEN, HEX)
