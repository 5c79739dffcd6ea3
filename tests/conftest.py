"""What many tests stand on."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from bot.message import clean
from bot.store import AsyncStore
from tests.kit.processes import Machine
from tests.kit.redis import RedisServer
from tests.kit.stores import store_in

if "PYTEST_XDIST_WORKER" in os.environ:
    # Sooner or later each of them needs it, and late it takes seconds: see bot.dialogue.preload.
    import skops.io  # noqa: F401

# How long an example takes tells of others who are at work on the machine.
hypothesis.settings.register_profile(
    "steady", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")
# CI tells whether a change broke something, not whether today's dice found something old;
# everywhere else the dice are thrown anew each time.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

# Stores have the disk confirm every write, and a test makes a store in no time but for that.
# What a process that dies leaves behind, memory keeps as a disk does.
_MEMORY, _ENOUGH = "/dev/shm", 1 << 30
_there = "TMPDIR" not in os.environ and os.path.isdir(_MEMORY)
if _there and shutil.disk_usage(_MEMORY).free > _ENOUGH:
    os.environ["TMPDIR"] = tempfile.tempdir = _MEMORY


#: Files with few tests that take long. Begun last, one process would be left alone with them.
_LONG = (
    "test_e2e_crash.py",
    "test_models_command.py",
    "test_training.py",
    "test_models.py",
    "test_faults.py",
    "test_identity.py",
    "test_scenarios.py",
    "test_equals_stock.py",
    "test_carried_state.py",
    "test_webchat_widget.py",
    "test_slack_panel.py",
    "test_page_deeds.py",
    "test_page_kinds.py",
    "test_attacks.py",
    "test_captured.py",
    "test_check.py",
    "test_sqlite.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest; the Makefile has xdist keep this order."""
    items.sort(key=lambda item: item.path.name not in _LONG)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Clean what a test logged: a lone surrogate in it cannot go from a process to another."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    report.sections = [(name, clean(text)) for name, text in report.sections]


@pytest.fixture(autouse=True)
def no_shop_of_before() -> None:
    """Forget backends that were opened: directories of tests that passed are gone."""
    backends = sys.modules.get("actions.backends")
    if backends is not None:
        backends._open.clear()
    opening = sys.modules.get("actions.backends.opening")
    if opening is not None:
        opening._opened.clear()
        opening._configured = None


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[AsyncStore]:
    """A real store in a directory of the test's own."""
    opened = store_in(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The machine that a test's processes run on."""
    return Machine(monkeypatch)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running redis-server; `make tools` installs it."""
    if shutil.which("redis-server") is None:
        pytest.skip("there is no redis-server on PATH")
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()
