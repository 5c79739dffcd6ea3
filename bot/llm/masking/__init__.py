"""Personal data: found by form and check digits, masked before a prompt or a log, put back."""

from bot.llm.masking.lines import hush
from bot.llm.masking.masker import Found, Masked, Masker, redact
from bot.llm.masking.names import parts_of_name

__all__ = ["Found", "Masked", "Masker", "hush", "parts_of_name", "redact"]
