"""Keeps Rasa from logging what customers write."""

from __future__ import annotations

import logging
import os
import warnings

import structlog


def quiet() -> None:
    """Silence Rasa's own logs but for errors.

    Rasa hands whole messages to structlog on every turn and, left alone, structlog
    prints them. What fails in a turn is told by its `Failure`.
    """
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for name in ("rasa", "rasa_sdk", "rasa.shared", "rasa.core"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"rasa\.")
