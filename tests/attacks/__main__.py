"""All attacks on all models: ``python -m tests.attacks``. Prints what got through, if anything."""

from __future__ import annotations

import logging
import sys
from collections import Counter

from tests.attacks.harness import MODELS, Stage, attacks
from tests.attacks.invariants import broken


def main() -> int:
    """Run them; return 1 if any had a forbidden effect."""
    logging.disable(logging.WARNING)
    stage = Stage()
    through = 0
    how: Counter[tuple[str, str]] = Counter()
    kinds: Counter[str] = Counter()
    for attack in attacks():
        kinds[attack.kind] += 1
        for model in MODELS:
            effect = stage.put(attack, model)
            how[model, effect.answer.how] += 1
            for what in broken(effect):
                through += 1
                print(f"{attack.kind}: {attack.id}, {model}: {what}")
    stage.close()
    for kind, count in sorted(kinds.items()):
        print(f"{count:4} {kind}")
    for model in MODELS:
        told = ", ".join(f"{n} {way}" for (name, way), n in sorted(how.items()) if name == model)
        print(f"{model}: {told}")
    print(f"{kinds.total()} attacks, {how.total()} runs, {through} forbidden effects")
    return 1 if through else 0


if __name__ == "__main__":
    sys.exit(main())
