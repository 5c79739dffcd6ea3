"""What customers write and what the bot says, in each other's language."""
