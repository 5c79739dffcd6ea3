"""The designers' pages of the console: what was learned, what the bot knows, and why it said so."""

from bot.console.designers.pages import Designers, Handler, Part

__all__ = ["Designers", "Handler", "Part"]
