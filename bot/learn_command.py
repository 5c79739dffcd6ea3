"""``bot learn``: the inbox of what customers really wrote, in a terminal."""
