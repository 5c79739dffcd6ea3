"""Components of Rasa's graph that are our own, for ``config.yml`` to name by their full path."""
