"""Files that agents attached in Slack: fetched from Slack, and the token given to nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.desk.slack.client import SlackClient
from bot.desk.slack.files import SlackFiles
from bot.settings import SlackAccount
from connectors.errors import NoFile, RetryLater
from tests.kit.http import Answer, Provider, Recorded, Reset, provider

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
TOKEN = "xoxb-secret-1"
PATH = "/files-pri/T0LARK-F0PIC/download/label.png"


@dataclass
class Two:
    """Slack, and somebody else who would like to have the token."""

    slack: Provider
    other: Provider
    steps: dict[str, Any]
    files: SlackFiles

    def file(self, **more: Any) -> dict[str, Any]:
        usual = {"id": "F0PIC", "name": "label.png", "mimetype": "image/png", "size": len(PNG)}
        url = self.slack.url + PATH
        return {**usual, "url_private_download": url, "account": "desk", **more}


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    steps: dict[str, Any] = {PATH: Answer(PNG, headers={"Content-Type": "image/png"})}

    def answer(asked: Recorded) -> Any:
        return steps[asked.path]

    async with provider(answer) as slack, provider(lambda asked: Answer(PNG)) as other:
        account = SlackAccount("desk", TOKEN, "secret", "C0DESK", api_url=slack.url)
        client = SlackClient(account, timeout=2)
        yield Two(slack, other, steps, SlackFiles(client, most=1000))
        await client.close()
    # Whatever was tried: nobody but Slack was asked at all.
    assert other.requests == []


async def test_a_file_is_fetched_with_the_token(two: Two) -> None:
    assert await two.files.fetch(two.file()) == (PNG, "image/png", "label.png")
    (asked,) = two.slack.requests
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


async def test_of_a_file_known_by_its_id_alone_the_rest_is_asked_for(two: Two) -> None:
    two.steps["/api/files.info"] = Answer({"ok": True, "file": two.file()})
    got = await two.files.fetch({"id": "F0PIC", "account": "desk"})
    assert got == (PNG, "image/png", "label.png")
    assert [asked.path for asked in two.slack.requests] == ["/api/files.info", PATH]


async def test_the_token_goes_nowhere_else(two: Two) -> None:
    host = two.slack.url.removeprefix("http://")
    for url in (
        two.other.url + PATH,
        two.other.url + "/?" + two.slack.url,
        f"http://{host}@{two.other.url.removeprefix('http://')}{PATH}",
        f"http://slack.com.{two.other.url.removeprefix('http://')}/",
        two.slack.url.replace("http:", "https:") + PATH,
        "file:///etc/passwd",
        "//" + host + PATH,
        "https://[broken",
    ):
        with pytest.raises((NoFile, RetryLater)):
            await two.files.fetch(two.file(url_private_download=url))
    assert two.slack.requests == []


@pytest.mark.parametrize("host", ["evilslack.com", "slack.com.evil.example", "slack.example"])
async def test_only_slack_is_slack(host: str) -> None:
    client = SlackClient(SlackAccount("desk", TOKEN, "secret", "C0DESK"))
    for url in (
        f"https://{host}/a.png",
        f"http://files.slack.com@{host}/",
        "http://files.slack.com/a",
    ):
        with pytest.raises(NoFile, match="not an address of Slack"):
            await SlackFiles(client).fetch({"id": "F1", "url_private_download": url})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(two: Two, status: int) -> None:
    two.steps[PATH] = Answer(status=status, headers={"Location": two.other.url + PATH})
    with pytest.raises(NoFile, match=str(status)):
        await two.files.fetch(two.file())


async def test_slacks_login_page_is_no_file(two: Two) -> None:
    page = b"<!DOCTYPE html><html><title>Slack</title>"
    two.steps[PATH] = Answer(page, headers={"Content-Type": "text/html; charset=utf-8"})
    with pytest.raises(NoFile, match="files:read"):
        await two.files.fetch(two.file())
    html = two.file(name="page.html", mimetype="text/html", size=len(page))
    assert await two.files.fetch(html) == (page, "text/html", "page.html")


async def test_a_file_that_is_too_big_is_not_kept(two: Two) -> None:
    with pytest.raises(NoFile, match="more than 1000 bytes"):
        await two.files.fetch(two.file(size=1001))
    assert two.slack.requests == []
    two.steps[PATH] = Answer(bytes(5000), headers={"Content-Type": "image/png"})
    with pytest.raises(NoFile, match="more than 1000 bytes"):
        await two.files.fetch(two.file(size=None))


async def test_what_is_not_there_now_is_asked_for_again(two: Two) -> None:
    for step in (Answer(status=503), Reset(), Answer(PNG[:50])):
        two.steps[PATH] = step
        with pytest.raises(RetryLater):
            await two.files.fetch(two.file())
    two.steps[PATH] = Answer(status=429, headers={"Retry-After": "7"})
    with pytest.raises(RetryLater) as limited:
        await two.files.fetch(two.file())
    assert limited.value.after == 7


async def test_what_will_never_be_there_is_said_to_be_so(two: Two) -> None:
    two.steps[PATH] = Answer(status=404)
    with pytest.raises(NoFile, match="label"):
        await two.files.fetch(two.file())
    two.steps["/api/files.info"] = Answer({"ok": False, "error": "file_deleted"})
    with pytest.raises(NoFile, match="file deleted"):
        await two.files.fetch({"id": "F0GONE"})
    linked = {"id": "F0DOC", "name": "plan", "is_external": True}
    two.steps["/api/files.info"] = Answer({"ok": True, "file": linked})
    with pytest.raises(NoFile, match="not kept by Slack"):
        await two.files.fetch({"id": "F0DOC"})
    with pytest.raises(NoFile, match="no Slack account"):
        await two.files.fetch(two.file(account="another"))


async def test_the_token_is_in_no_error(two: Two) -> None:
    two.steps[PATH] = Answer(status=403)
    with pytest.raises(NoFile) as refused:
        await two.files.fetch(two.file())
    assert TOKEN not in str(refused.value)
