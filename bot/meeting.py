"""Before anything is answered: who is it that writes?"""

from __future__ import annotations

import logging

from bot.consent import carry
from bot.identity import customer_of, moved, shared
from bot.identity.doubting import look
from bot.identity.phones import e164
from bot.message import Contact, Event, Inbound
from bot.store import AsyncStore, StoreError
from bot.store.conversations import Conversation

log = logging.getLogger(__name__)


async def meet(store: AsyncStore, said: Inbound, conversation: Conversation) -> None:
    """See that the conversation's customer is known. Raises StoreDown.

    All of it may be done again. A customer who cannot be told is answered all the same.
    """
    content = said.content
    # Not to be lost over anything else: who was out is out at the new address too.
    await carry(store, said)
    try:
        if isinstance(content, Contact) and content.own:
            number = next(filter(None, map(e164, content.phones)), "")
            await look(store, said.address, said.profile, said.sent, None, number)
            await shared(store, said.address, content)
        elif isinstance(content, Event) and content.name == "moved":
            await moved(store, said.address, content.data)
        else:
            known = conversation.customer or ""
            await look(store, said.address, said.profile, said.sent, conversation.last_in)
            await customer_of(store, said.address, said.profile, known=known)
    except StoreError:
        raise
    except Exception:
        log.exception("%s: who it is could not be told", said.id)
