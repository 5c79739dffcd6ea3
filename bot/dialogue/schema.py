"""The schema of what actions return, checked once and not for each action.

Rasa validates the result of each custom action with `jsonschema.validate`, which first
validates the schema itself, every time: four fifths of what running an action costs.
"""

from __future__ import annotations

from typing import Any

from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction


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
