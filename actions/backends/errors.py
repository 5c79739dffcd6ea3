"""What can go wrong with a shop's backend, each with what it means for who asked.

None of these texts holds a secret, a customer's words or the words of a remote answer.
"""

from __future__ import annotations


class BackendError(Exception):
    """Whatever a backend could not do. `backend` is its name, as in ``shopify``."""

    def __init__(self, backend: str, what: str) -> None:
        self.backend = backend
        super().__init__(f"{backend}: {what}")


class BackendDown(BackendError):
    """It does not answer, or only with errors; nothing was changed, or doing it again is safe.

    `after` is in how many seconds it may be asked again, as far as is known.
    """

    def __init__(self, backend: str, what: str, after: float = 30.0) -> None:
        self.after = after
        super().__init__(backend, f"{what}; it may be asked again in {after:.0f} seconds")


class Ambiguous(BackendError):
    """It is not known whether an effect took place. Ask again with the same key, not another.

    `after` is in how many seconds it can be known.
    """

    def __init__(self, backend: str, what: str, after: float = 60.0) -> None:
        self.after = after
        super().__init__(backend, f"{what}; ask again in {after:.0f} seconds with the same key")


class NotFound(BackendError):
    """There is no such order, parcel or account. `kind` is one of these words."""

    def __init__(self, backend: str, kind: str) -> None:
        self.kind = kind
        super().__init__(backend, f"there is no such {kind}")


class NotPossible(BackendError):
    """It was refused for good. `reason` is plain English, fit to be read by an agent."""

    def __init__(self, backend: str, reason: str) -> None:
        self.reason = reason
        super().__init__(backend, reason)


class Unauthorised(BackendError):
    """Its credentials are wrong or may not do this: the installation is misconfigured."""


class Misconfigured(BackendError):
    """What is set for it cannot be right: a wrong address, version or mapping."""
