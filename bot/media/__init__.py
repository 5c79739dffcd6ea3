"""Customers' files: fetched once, checked by their content, kept, and linked to for agents."""
