"""The action ids of our buttons and menus, by which Slack tells which one was used.

The `value` of a button is the conversation's key. Of the buttons of a draft it is compact JSON,
``{"review": …, "conversation": …}``, of `ACT` ``{"action": …, "args": …, "conversation": …}``.
Selects have no value beside the chosen one: the conversation is in the block's id, see `block`.
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from __future__ import annotations

TAKE, BACK, RESOLVE, REOPEN = "desk_take", "desk_back", "desk_resolve", "desk_reopen"
#: Takes the conversation from the agent who has it; `TAKE` is refused then.
TAKE_FROM = "desk_take_from"
DRAFT, SIMILAR = "desk_draft", "desk_similar"
#: A static select of agents' ids, or Slack's own select of users where none are named.
ASSIGN = "desk_assign"
#: The card's overflow menu. The chosen option's value is `ACTIONS` or `CANNED`.
MORE = "desk_more"
ACTIONS, CANNED = "desk_actions", "desk_canned"
#: Runs the suggested action in its value.
ACT = "desk_act"
SEND_DRAFT, EDIT_DRAFT, DISCARD_DRAFT = "desk_send_draft", "desk_edit_draft", "desk_discard_draft"
#: A static select of the names of ``data/templates.yml``.
TEMPLATE = "desk_template"
#: Takes one of the conversations that were found.
PICK = "desk_pick"

_BLOCK = "desk:"
_BLOCK_LENGTH = 255


def block(conversation: str) -> str:
    """Return the id of a block whose elements are about a conversation.

    Cut to the 255 characters that Slack takes: https://docs.slack.dev/reference/block-kit/blocks
    """
    return f"{_BLOCK}{conversation}"[:_BLOCK_LENGTH]


def conversation_of(block_id: str) -> str:
    """Return the conversation that a block is about, "" when the id is none of ours, or was cut."""
    ours = block_id.startswith(_BLOCK) and len(block_id) < _BLOCK_LENGTH
    return block_id.removeprefix(_BLOCK) if ours else ""
