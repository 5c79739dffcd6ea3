"""Does the bot answer what it should, rightly, and nothing else?"""
