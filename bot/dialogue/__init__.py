"""The brain: a Rasa model that turns one message and a short past into replies.

Importing this package costs nothing; `bot.dialogue.preload` imports Rasa.
"""
