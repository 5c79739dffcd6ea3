"""What the company knows: articles, passages, search, answering, and what is missing."""
