"""Imports all that is heavy, for a process which then forks its workers."""

from __future__ import annotations

import gc
import importlib
import logging
import os

#: In this order. skops looks every name it trusts up in every module there is: a third
#: of a second in a young process, ten seconds in one that has imported TensorFlow.
_HEAVY = (
    "skops.io",
    "rasa.engine.recipes.default_components",
    "rasa.graph_components.validators.default_recipe_validator",
    "rasa.graph_components.validators.finetuning_validator",
    "rasa.nlu.classifiers.regex_message_handler",
    "rasa.core.actions.forms",
    "rasa.core.actions.two_stage_fallback",
    # What the components of config.yml import when they are loaded.
    "spacy",
    "spacy.lang.xx",
    "spacy.matcher",
    "babel",
    "phonenumbers",
    "bot.dialogue.components.linear",
    "bot.dialogue.components.matchers",
    "mongoengine",
    "bot.dialogue.brain",
)


def preload(*more: str) -> None:
    """Import Rasa and what it uses, and `more` modules. Takes seconds; starts no thread.

    Forked processes share these pages and begin at once. What was imported is kept from the
    garbage collector for good: looking at half a million objects again takes it 0.3 s, in which
    no message is answered and after which no page is shared any more.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    # TensorFlow sets filters of its own, so that ignoring its warnings takes more than one.
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    try:
        for name in (*_HEAVY, *more):
            importlib.import_module(name)
    finally:
        logging.captureWarnings(False)
    from bot.dialogue.quiet import quiet

    quiet()
    gc.collect()
    gc.freeze()
