"""The static files of the page with the phones."""
