"""The channels. One file each; a channel is known once it is listed here."""

from __future__ import annotations

from importlib import import_module

from connectors.base import Connector

# Imported on demand: a provider's library costs start-up time and memory, and the
# gateway should be up within two seconds.
_CHANNELS = {
    "telegram": "connectors.telegram:Telegram",
    "whatsapp": "connectors.whatsapp:WhatsApp",
    "messenger": "connectors.messenger:Messenger",
    "sms": "connectors.sms:Sms",
    "webchat": "connectors.webchat:WebChat",
}

CHANNELS = tuple(_CHANNELS)


def connector_class(channel: str) -> type[Connector]:
    """Return the class of a channel. Raises KeyError for one that does not exist."""
    module, name = _CHANNELS[channel].split(":")
    found: type[Connector] = getattr(import_module(module), name)
    return found
