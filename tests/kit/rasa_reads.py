"""Whether Rasa itself takes designers' files, short of training anything large."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from pathlib import Path

from bot.dialogue.plain import confirmed

_DATA = ("data/nlu", "data/rules", "data/stories")


def refusal(root: Path) -> str:
    """Return what Rasa says against the files below `root`, "" when it takes them.

    Contradictions of stories that `bot.dialogue.plain` tells with file and line are no refusal.
    """
    quiet = io.StringIO()
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(quiet):
            warnings.simplefilter("ignore")
            with contextlib.redirect_stdout(quiet):
                _read(root)
    except (Exception, SystemExit) as error:
        kind = type(error).__name__
        if kind == "InvalidRule":
            told = confirmed(root, {"failed": [kind, str(error)]})
            if all(line.startswith(f"{root}/") for line in told):
                return ""
        return f"{kind}: {error}"
    finally:
        logging.disable(level)
    return ""


def _read(root: Path) -> None:
    from rasa.core.policies.rule_policy import RulePolicy
    from rasa.engine.graph import ExecutionContext, GraphSchema
    from rasa.engine.recipes.recipe import Recipe
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.storage.resource import Resource
    from rasa.engine.validation import validate
    from rasa.graph_components.validators.default_recipe_validator import DefaultV1RecipeValidator
    from rasa.nlu.utils.pattern_utils import extract_patterns
    from rasa.shared.core.generator import TrainingDataGenerator
    from rasa.shared.data import TrainingType
    from rasa.shared.importers.importer import TrainingDataImporter
    from rasa.validator import Validator

    def importer(*parts: str) -> TrainingDataImporter:
        return TrainingDataImporter.load_from_config(
            str(root / "config.yml"), str(root / "domain.yml"), [str(root / part) for part in parts]
        )

    data = importer(*_DATA)
    config, domain, stories = data.get_config(), data.get_domain(), data.get_stories()
    graph = Recipe.recipe_for_name(config.get("recipe")).graph_config_for_recipe(
        config, {}, training_type=TrainingType.BOTH, is_finetuning=False
    )
    validate(graph)
    DefaultV1RecipeValidator(graph.train_schema).validate(data)
    checks = Validator.from_importer(data)
    checks.verify_domain_validity()
    checks.verify_actions_in_stories_rules()
    checks.verify_forms_in_stories_rules()
    checks.verify_form_slots()
    checks.verify_slot_mappings()
    checks.verify_nlu()
    checks.verify_story_structure()
    extract_patterns(data.get_nlu_data())
    trackers = TrainingDataGenerator(stories, domain, augmentation_factor=0).generate()
    with tempfile.TemporaryDirectory() as folder:
        RulePolicy(
            RulePolicy.get_default_config(),
            LocalModelStorage(Path(folder)),
            Resource("rules"),
            ExecutionContext(GraphSchema({})),
        ).train(trackers, domain)
    tests = importer("tests/stories").get_stories()
    TrainingDataGenerator(tests, domain, augmentation_factor=0).generate()
