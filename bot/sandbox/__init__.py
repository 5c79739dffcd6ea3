"""Local stand-ins for the providers' HTTP APIs, and the page with the phones.

The gateway talks to them through the real connectors and real HTTP; only the
other end is ours. Everything listens on loopback alone.
"""
