"""What a person takes over from the bot, and gives back to it."""
