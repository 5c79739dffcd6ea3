"""A model of `transformers` in this process: no endpoint, nothing leaves the machine.

It answers one question at a time, in a thread of its own, with its likeliest words (greedy),
so that the same question has the same answer. It is loaded at the first question, which may
take longer than its time: the loading goes on, and a later question finds it ready.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bot.llm.answer import spoken
from bot.llm.contract import Said
from bot.llm.engine import Answer, Misconfigured, Request, Unfit, Unusable, Unwell, estimate_all
from bot.settings import Llm

log = logging.getLogger(__name__)

_TORCH_WEIGHTS = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_WORDS = {"system": "", "user": "User: ", "assistant": "Assistant: ", "tool": "Result: "}


class LocalModel:
    """An `Engine` of a folder, or an id of the hub. Tools are not offered to it."""

    def __init__(self, settings: Llm) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="llm")
        self._loaded: _Loaded | None = None

    async def complete(self, request: Request) -> Answer:
        """See `Engine`. What is past its time is still worked off before the next question."""
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._complete, request)
        try:
            await asyncio.wait({work}, timeout=request.seconds)
            if work.done():
                return work.result()
        finally:
            # Begun, it cannot be stopped; its answer is thrown away.
            work.cancel()
        raise Unwell("gave no answer in time", (estimate_all(request.messages), 0))

    async def close(self) -> None:
        """See `Engine`."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _complete(self, request: Request) -> Answer:
        if self._loaded is None:
            self._loaded = _load(self._settings.model)
        return self._loaded.answer(request, self._settings.context_tokens)


class _Loaded:
    """A model and its tokenizer. `tensors` is what `transformers` calls its framework."""

    def __init__(self, model: Any, tokenizer: Any, tensors: str) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._tensors = tensors
        self._seq2seq = bool(model.config.is_encoder_decoder)

    def answer(self, request: Request, context: int) -> Answer:
        """Answer. Raises Unfit for what is too long, Unusable."""
        # A template writes the special tokens itself, a sequence to a decoder has none to end it.
        own = self._template() or not self._seq2seq
        inputs = self._tokenizer(
            self._rendered(request.messages),
            return_tensors=self._tensors,
            add_special_tokens=not own,
            return_token_type_ids=False,
        )
        read = int(inputs["input_ids"].shape[-1])
        room = self._room(context) - read
        if read == 0:
            raise Unfit("the question has no token that it knows")
        if room < (1 if self._seq2seq else request.tokens):
            raise Unfit(f"the question's {read} tokens are too many for it")
        generated = self._model.generate(
            **inputs,
            max_new_tokens=request.tokens,
            do_sample=False,
            num_beams=1,
            pad_token_id=self._pad(),
        )
        ids = [int(id) for id in generated[0]]
        # A decoder gives the question again before the answer, a seq2seq its start token.
        ids = ids[1:] if self._seq2seq else ids[read:]
        ends = self._ends()
        written = next((at + 1 for at, id in enumerate(ids) if id in ends), len(ids))
        ended = any(id in ends for id in ids)
        text = spoken(self._tokenizer.decode(ids[:written], skip_special_tokens=True))
        spent = (read, written)
        if not ended and request.schema is not None:
            raise Unusable(f"did not end its answer within {request.tokens} tokens", spent)
        if not text:
            raise Unusable("gave an empty answer", spent)
        return Answer(text, read, written, truncated=not ended)

    def _rendered(self, messages: tuple[Said, ...]) -> str:
        if self._template():
            chat = [{"role": said.role, "content": said.text} for said in messages]
            return str(
                self._tokenizer.apply_chat_template(
                    chat, tokenize=False, add_generation_prompt=True
                )
            )
        lines = [f"{_WORDS[said.role]}{said.text}" for said in messages]
        return "\n\n".join((*lines, _WORDS["assistant"].strip()))

    def _template(self) -> bool:
        return bool(getattr(self._tokenizer, "chat_template", None))

    def _room(self, context: int) -> int:
        # A seq2seq model's positions are relative, or its tokenizer says how many there are.
        fixed = None if self._seq2seq else self._model.config.max_position_embeddings
        own = int(self._tokenizer.model_max_length)
        return min(context, own, int(fixed) if fixed else own)

    def _ends(self) -> set[int]:
        # Those that `generate` itself stops at.
        ends = self._model.generation_config.eos_token_id
        if ends is None:
            ends = self._model.config.eos_token_id
        return set(ends) if isinstance(ends, (list, tuple)) else {ends} - {None}

    def _pad(self) -> int:
        pad = self._tokenizer.pad_token_id
        # One sequence is never padded, but `generate` wants to know with what.
        return int(pad if pad is not None else next(iter(self._ends()), 0))


def _load(name: str) -> _Loaded:
    """Load a folder or an id of the hub. Raises Misconfigured with what would be right."""
    from transformers import AutoConfig, AutoTokenizer
    from transformers.utils import is_torch_available

    folder = Path(name)
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise Misconfigured(f"{name} has no config.json, it is no model that was saved")
    try:
        # A model may bring code of its own, which is not run.
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        tensors = "pt" if is_torch_available() else "tf"
        kind = _class(bool(config.is_encoder_decoder), tensors)
        model = kind.from_pretrained(name, trust_remote_code=False)
    # Whatever is wrong with a model, libraries of many makers tell it in errors of any kind.
    except Exception as error:
        raise Misconfigured(_why(folder, name, error)) from error
    log.info("loaded the model %s (%s, %s)", name, config.model_type, tensors)
    return _Loaded(model, tokenizer, tensors)


def _class(seq2seq: bool, tensors: str) -> Any:
    import transformers

    kind = "Seq2SeqLM" if seq2seq else "CausalLM"
    return getattr(transformers, f"{'TF' if tensors == 'tf' else ''}AutoModelFor{kind}")


def _why(folder: Path, name: str, error: Exception) -> str:
    if not folder.is_dir():
        return (
            f"{name} is no folder here, and cannot be had from the hub "
            f"({type(error).__name__}): give the folder of a saved model"
        )
    ours = any(
        (folder / weights).is_file() for weights in ("tf_model.h5", "tf_model.h5.index.json")
    ) or any(folder.glob("*.safetensors"))
    if not ours and any((folder / weights).is_file() for weights in _TORCH_WEIGHTS):
        return (
            f"{name} has PyTorch weights only: install the extra `torch`, or save it with "
            "safetensors or TensorFlow weights"
        )
    if not ours:
        return f"{name} has no weights: neither *.safetensors nor tf_model.h5 is in it"
    return (
        f"{name} cannot be loaded ({type(error).__name__}): it should be a seq2seq or causal "
        "model, whole, of a kind that transformers has for TensorFlow, or else with the "
        "extra `torch` installed"
    )
