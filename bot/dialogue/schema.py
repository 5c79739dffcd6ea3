"""What Rasa checks again and again, checked once: results of actions, and a model's domain.

Rasa validates the result of each custom action with `jsonschema.validate`, which first
validates the schema itself, every time: four fifths of what running an action costs.
"""

from __future__ import annotations

from typing import Any

from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.graph_components.providers.domain_provider import DomainProvider
from rasa.shared.core.domain import Domain
from rasa.shared.utils.io import read_file, read_yaml


def check_schema_once() -> None:
    """Make Rasa validate results, as strictly as before, by a validator made once.

    There is no other place for it: forms make their own `RemoteAction`s.
    """
    schema = RemoteAction.action_response_format_spec()
    cls = validator_for(schema)
    cls.check_schema(schema)
    validator = cls(schema)

    def validate(self: RemoteAction, result: dict[str, Any]) -> bool:
        error = best_match(validator.iter_errors(result))
        if error is not None:
            raise error
        return True

    RemoteAction._validate_action_result = validate


def trust_the_domain() -> None:
    """Make Rasa load a model's domain without validating it: that was done to train it.

    It is most of what loading a model costs, all of it in Python, which makes messages wait
    where a model is loaded beside the one that answers. Rasa reads every file of the
    directory; there is one, the one that it wrote itself.
    """

    def load(
        cls: type[DomainProvider],
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> DomainProvider:
        with model_storage.read_from(resource) as directory:
            written = read_yaml(read_file(str(directory / "domain.yml")))
        return cls(
            model_storage, resource, Domain.from_dict(Domain.merge_domain_dicts(written, {}))
        )

    DomainProvider.load = classmethod(load)
