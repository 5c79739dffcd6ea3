"""A language model that acts within the rules: typed tools, proposals, and a customer's yes."""
