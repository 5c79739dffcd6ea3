"""endpoints.yml and credentials.yml: read, checked, and told line by line what is wrong.

Rasa's own file names. ``${VAR}`` in a value is the environment's; the variable
``FRONTDESK__SERVER__PORT`` overrides ``server: {port: …}``, and so for every setting, list
items by number (``FRONTDESK__TELEGRAM__0__TOKEN``). With no file at all everything has a
working default.
"""

from __future__ import annotations

from bot.settings.loading import load, load_backends
from bot.settings.problems import Problem, SettingsInvalid
from bot.settings.schema import (
    Backend,
    Budget,
    ConsoleAccount,
    Desk,
    Knowledge,
    Limits,
    Llm,
    Mail,
    Media,
    Perception,
    Redis,
    Sandbox,
    Server,
    Settings,
    SlackAccount,
    Store,
    Transcription,
    Translation,
    Worker,
)
from bot.settings.validate import secrets_of

__all__ = [
    "Backend",
    "Budget",
    "ConsoleAccount",
    "Desk",
    "Knowledge",
    "Limits",
    "Llm",
    "Mail",
    "Media",
    "Perception",
    "Problem",
    "Redis",
    "Sandbox",
    "Server",
    "Settings",
    "SettingsInvalid",
    "SlackAccount",
    "Store",
    "Transcription",
    "Translation",
    "Worker",
    "load",
    "load_backends",
    "secrets_of",
]
