"""What is wrong with articles, one kind of fault a file; `bot.knowledge.audit` asks all."""
