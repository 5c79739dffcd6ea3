"""The process in which a model is trained and models are tested: all that is heavy.

Run by `bot.dialogue.training` with what is wanted, as JSON, and the descriptor that
progress is written to: a line for each step, the share that is done and its name.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Shares of the whole, roughly: importing, reading and validating, training, testing.
_READ, _TRAIN, _TEST = 0.25, 0.4, 0.85


class _Progress:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.seconds: dict[str, float] = {}

    def say(self, done: float, what: str) -> None:
        os.write(self._descriptor, f"{done:.3f} {what}\n".encode())

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - began, 2)


class _Said(logging.Handler):
    """Keeps what Rasa warns of and, in training, passes on which component is at work."""

    def __init__(self, progress: _Progress) -> None:
        super().__init__(logging.INFO)
        self.warnings: list[str] = []
        self.components = 1
        self._progress = progress
        self._done = 0

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.WARNING:
            self.warnings.append(text)
        if record.name != "rasa.engine.training.hooks" or "'" not in text:
            return
        what = text.split("'")[1]
        if not text.startswith("Starting"):
            self._done += 1
        share = min(1.0, self._done / self.components)
        self._progress.say(_TRAIN + share * (_TEST - _TRAIN), f"training {what}")


def main(wanted: dict[str, Any], descriptor: int) -> int:
    """Do what is wanted and write the report; return 0, or 1 when it failed."""
    progress = _Progress(descriptor)
    report: dict[str, Any] = {
        **{"failed": None, "warnings": [], "exams": {}, "confusions": []},
        "untested": "",
        "seconds": progress.seconds,
    }
    said = _Said(progress)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger().addHandler(said)
    logging.captureWarnings(True)
    try:
        progress.say(0.0, "starting")
        with progress.part("imports"):
            _heavy()
        _work(wanted, report, progress, said)
    except Exception as error:
        # Not by logging: a library under Rasa replaces a method of the root logger by one
        # that takes no exception.
        traceback.print_exc()
        report["failed"] = (type(error).__name__, str(error))
    Path(wanted["report"]).write_text(json.dumps(report), "utf-8")
    return 1 if report["failed"] else 0


def _heavy() -> None:
    from bot.dialogue.preload import preload

    preload()
    import structlog

    # Rasa tells some of its warnings by structlog; `preload` silences that for workers.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        processors=[_words],
    )
    for name in ("rasa_sdk", "rasa.shared", "rasa.core", "py.warnings"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    # Said here, for numpy.distutils, once imported, sets the root's level as it likes.
    logging.getLogger("rasa").setLevel(logging.INFO)
    logging.captureWarnings(True)
    warnings.simplefilter("default")


def _words(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    """Return what a structured event says as one text, for the logs of this process."""
    return f"{event.get('event')} {event.get('event_info', '')}".strip()


def _work(wanted: dict[str, Any], report: dict[str, Any], progress: _Progress, said: _Said) -> None:
    from rasa.shared.importers.importer import TrainingDataImporter

    importer = TrainingDataImporter.load_from_config("config.yml", wanted["domain"], wanted["data"])
    if wanted["train"]:
        # Not what testing says later: an older model knows less than today's stories.
        report["warnings"] = said.warnings
        progress.say(_READ, "reading the data")
        with progress.part("validation"):
            _validate(importer)
        progress.say(_TRAIN, "training")
        with progress.part("training"):
            _train(wanted, said)
        said.warnings = []
    if wanted["models"]:
        from bot.dialogue.examining import causes, confusions, examine

        with progress.part("tests"):
            for n, model in enumerate(wanted["models"]):
                share = _TEST + n / len(wanted["models"]) * (1 - _TEST)
                progress.say(share, f"testing {'the model in use' if n else 'the new model'}")
                try:
                    exam = examine(Path(model), wanted["held_out"], wanted["stories"])
                except Exception as error:
                    if n == 0:
                        raise
                    # Of an older program, perhaps; that must not keep the new one out.
                    traceback.print_exc()
                    report["untested"] = f"{type(error).__name__}: {error}"
                    continue
                report["exams"][model] = exam
                if n == 0:
                    exam["causes"] = causes(exam["wrong"], importer.get_nlu_data())
                    report["confusions"] = confusions(exam["causes"])
    progress.say(1.0, "done")


def _validate(importer: Any) -> None:
    """What ``rasa data validate`` looks at; it warns, and `_Said` hears it."""
    from rasa.validator import Validator

    validator = Validator.from_importer(importer)
    validator.verify_domain_validity()
    validator.verify_actions_in_stories_rules()
    validator.verify_forms_in_stories_rules()
    validator.verify_form_slots()
    validator.verify_slot_mappings()
    validator.verify_nlu()
    validator.verify_story_structure()


def _train(wanted: dict[str, Any], said: _Said) -> None:
    from rasa.api import train
    from rasa.engine.training import hooks

    begin = hooks.LoggingHook.__init__

    def count(self: Any, pruned_schema: Any) -> None:
        begin(self, pruned_schema)
        nodes = pruned_schema.nodes.values()
        said.components = max(1, sum(1 for node in nodes if self._does_node_train(node)))

    hooks.LoggingHook.__init__ = count
    train(
        domain=wanted["domain"],
        config="config.yml",
        training_files=wanted["data"],
        output=wanted["train"]["out"],
        fixed_model_name=wanted["train"]["name"],
    )


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), int(sys.argv[2])))
