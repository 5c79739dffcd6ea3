"""Runs the components of a loaded model one after the other.

Rasa's own runner hands the graph to dask for each prediction, which orders it anew
each time. A prediction graph never changes, and nothing in it runs in parallel. Rules come
before other policies, which are not run where they cannot win, see `bot.dialogue.certain`.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.constants import PLACEHOLDER_TRACKER
from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import (
    ExecutionContext,
    GraphComponent,
    GraphNode,
    GraphNodeHook,
    GraphSchema,
)
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.storage import ModelStorage

from bot.dialogue.certain import certain, dear
from bot.dialogue.loading import untrained
from bot.dialogue.rules import look_up_rules

_Plan = tuple[tuple[str, tuple[str, ...]], ...]


class SequentialRunner(GraphRunner):
    """A `GraphRunner` for loaded models; what depends on what is worked out once a target."""

    def __init__(self, schema: GraphSchema, nodes: dict[str, GraphNode]) -> None:
        self._schema = schema
        self._nodes = nodes
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._dear = dear(self.components())
        #: How often policies that may be left out were run, and how often not. For measuring.
        self.asked = self.spared = 0

    @classmethod
    def create(
        cls,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> SequentialRunner:
        """Load every component of the graph. Raises what the components raise."""
        with untrained():
            nodes = {
                name: GraphNode.from_schema_node(
                    name, node, model_storage, execution_context, hooks
                )
                for name, node in graph_schema.nodes.items()
            }
        runner = cls(graph_schema, nodes)
        look_up_rules(runner.components().values())
        return runner

    def components(self) -> dict[str, GraphComponent]:
        """Return the loaded components by the name of their node."""
        return {name: node._component for name, node in self._nodes.items()}

    def before(self, target: str) -> str:
        """Return the node that feeds messages into `target`."""
        return str(self._schema.nodes[target].needs["messages"])

    def run(
        self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None
    ) -> dict[str, Any]:
        """Run what `targets` need and return their outputs by name. Raises GraphRunError."""
        wanted = tuple(targets or self._schema.target_names)
        plan = self._plans.get(wanted)
        if plan is None:
            plan = self._plans[wanted] = self._order(wanted)
        given = inputs or {}
        clash = given.keys() & self._nodes.keys()
        if clash:
            raise GraphRunError(f"inputs with the names of components: {', '.join(sorted(clash))}")
        done = {name: (name, value) for name, value in given.items()}
        for name, needs in plan:
            if name in self._dear:
                sure = certain((said for _, said in done.values()), given.get(PLACEHOLDER_TRACKER))
                if self._dear[name] < sure:
                    self.spared += 1
                    # The ensemble passes over what is no prediction.
                    done[name] = (name, None)
                    continue
                self.asked += 1
            done[name] = self._nodes[name](*(done[need] for need in needs if need in done))
        return {name: done[name][1] for name in wanted}

    def _order(self, targets: tuple[str, ...]) -> _Plan:
        nodes = self._schema.minimal_graph_schema(list(targets)).nodes
        plan: list[tuple[str, tuple[str, ...]]] = []
        seen: set[str] = set()

        def visit(name: str) -> None:
            if name in seen or name not in nodes:
                return
            seen.add(name)
            needs = tuple(nodes[name].needs.values())
            for need in needs:
                visit(need)
            plan.append((name, needs))

        for target in targets:
            visit(target)
        return self._dear_last(plan)

    def _dear_last(self, plan: list[tuple[str, tuple[str, ...]]]) -> _Plan:
        """Put policies that may be left out right before what first needs one, the ensemble.

        Among them, those of high priority come first, for they may spare the others.
        """
        late = [step for step in plan if step[0] in self._dear]
        late.sort(key=lambda step: -self._dear[step[0]])
        rest = [step for step in plan if step[0] not in self._dear]
        for at, (_, needs) in enumerate(rest):
            if not self._dear.keys().isdisjoint(needs):
                return (*rest[:at], *late, *rest[at:])
        return (*rest, *late)
