"""Loads TensorFlow models without training them first.

Rasa builds a model of random weights, trains it for one step only so that all weights exist,
throws that away and reads the real weights. Tracing the training step with its gradients is
most of what loading takes. Weights that are read first are kept by TensorFlow until the
layer that wants them is made, which the first prediction does.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_MODELS = "rasa.utils.tensorflow.models"
_PATCHING = threading.Lock()


@contextmanager
def untrained() -> Iterator[None]:
    """Within, models are loaded so. Nothing is done when no component uses TensorFlow.

    There is no other place for it: components call ``RasaModel.load`` by its class.
    """
    module = sys.modules.get(_MODELS)
    if module is None:
        yield
        return
    with _PATCHING:
        kept = module.RasaModel.__dict__["load"]
        module.RasaModel.load = classmethod(_loader(kept.__func__))
        try:
            yield
        finally:
            module.RasaModel.load = kept


def _loader(stock: Any) -> Any:
    def load(
        cls: Any,
        model_file_name: str,
        model_data_example: Any,
        predict_data_example: Any = None,
        finetune_mode: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if finetune_mode or not predict_data_example:
            # Without a prediction, nothing would make the layers.
            return stock(
                cls,
                model_file_name,
                model_data_example,
                predict_data_example,
                finetune_mode,
                *args,
                **kwargs,
            )
        model = cls(*args, **kwargs)
        model.compile(run_eagerly=kwargs.get("config", {}).get("run_eagerly"))
        read = model.load_weights(str(model_file_name))
        model.run_inference(predict_data_example)
        # Not the optimizer's, and not those of layers that only training has.
        read.expect_partial()
        # A layer that prediction made and the file has nothing for would stay random.
        read.assert_existing_objects_matched()
        return model

    return load
