"""Whether what designers wrote is right, told in plain words with file and line.

Imports neither Rasa nor TensorFlow: the whole project is checked in well under a second.
"""

from bot.dialogue.checking.finding import ERROR, WARNING, Finding, errors_of
from bot.dialogue.checking.project import check_project

__all__ = ["ERROR", "WARNING", "Finding", "check_project", "errors_of"]
