"""Frontdesk: a self-hosted, multichannel messaging bot gateway for customer support."""
