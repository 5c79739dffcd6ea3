"""What is to be seen in a message before it is answered: language, mood, sensitive matters."""
