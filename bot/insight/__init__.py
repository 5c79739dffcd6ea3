"""What designers look at: what leads where, what is confused, and what traffic used."""
