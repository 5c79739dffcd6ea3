"""The named failures of the sandbox."""

from __future__ import annotations


class SandboxError(Exception):
    """Base of all sandbox failures."""


class NotLoopback(SandboxError):
    """The sandbox was asked to listen where other machines could reach it."""


class RealCredentials(SandboxError):
    """A real account has the same channel and name as one of the sandbox's."""


class BadCredentials(SandboxError):
    """The sandbox's credentials file cannot be used."""


class BadRequest(SandboxError):
    """The control API was asked for something that cannot be done."""


class Overfull(SandboxError):
    """Too many webhooks wait for the gateway; no more are taken until it has caught up."""
