"""Models in this process, through the real loading code: tiny ones, made here, of random words."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.llm.client import Llm
from bot.llm.contract import Said
from bot.llm.engine import Misconfigured, Unfit, Unusable, Unwell
from bot.llm.errors import AllFailed
from bot.llm.local import LocalModel
from bot.settings import Budget
from bot.settings import Llm as Entry
from tests.kit.chat import ask, request

TEXT = "what does standard delivery cost ? it costs £ 3 . 95 free from 50 user : assistant"
WORDS = TEXT.split(" ")
TEMPLATE = (
    "{% for m in messages %}{{ m.content }} {% endfor %}"
    "{% if add_generation_prompt %}it costs{% endif %}"
)
ASKED = (Said("user", "what does standard delivery cost ?"),)


def tokenizer(folder: Path, template: str = "") -> int:
    """Save a tokenizer of whole words; return how many there are."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "</s>", "<unk>", *dict.fromkeys(WORDS)]
    made = Tokenizer(models.WordLevel({w: n for n, w in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=64,
    )
    if template:
        fast.chat_template = template
    fast.save_pretrained(folder)
    return len(words)


def speaking() -> Any:
    """Keep a model, which left to itself repeats what it is given last, to words."""
    from transformers import GenerationConfig

    return GenerationConfig(
        suppress_tokens=[0, 1, 2], eos_token_id=1, pad_token_id=0, decoder_start_token_id=0
    )


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import tensorflow as tf
    from transformers import T5Config, TFT5ForConditionalGeneration

    folder = tmp_path_factory.mktemp("t5")
    tf.random.set_seed(7)
    size = tokenizer(folder)
    config = T5Config(
        vocab_size=size,
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    model = TFT5ForConditionalGeneration(config)
    model.build_in_name_scope()
    model.generation_config = speaking()
    model.save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import tensorflow as tf
    from transformers import GPT2Config, TFGPT2LMHeadModel

    folder = tmp_path_factory.mktemp("gpt2")
    tf.random.set_seed(7)
    size = tokenizer(folder, TEMPLATE)
    config = GPT2Config(
        vocab_size=size, n_positions=48, n_embd=16, n_layer=1, n_head=2, eos_token_id=1
    )
    model = TFGPT2LMHeadModel(config)
    model.build_in_name_scope()
    model.generation_config = speaking()
    model.save_pretrained(folder)
    return folder


def local(folder: Path | str, **settings: Any) -> LocalModel:
    return LocalModel(Entry(url="local:", model=str(folder), **settings))


async def complete(folder: Path | str, **values: Any) -> Any:
    settings = {k: values.pop(k) for k in ("context_tokens",) if k in values}
    engine = local(folder, **settings)
    try:
        values = {"messages": ASKED, "tokens": 6, "seconds": 60, **values}
        return await engine.complete(request(**values))
    finally:
        await engine.close()


@pytest.mark.parametrize("kind", ["t5", "gpt2"])
async def test_it_answers_with_its_own_words_and_counts_them(kind, request: pytest.FixtureRequest):
    folder = request.getfixturevalue(kind)
    got = await complete(folder)
    assert got.text
    assert set(got.text.split()) <= {*WORDS, "<unk>"}
    assert 1 <= got.tokens_out <= 6
    # The question of six words, and what goes around it.
    around = {"t5": 2, "gpt2": 2}[kind]
    assert got.tokens_in == 6 + around
    assert (await complete(folder)).text == got.text


async def test_an_answer_ends_where_the_model_ends_it(gpt2, tmp_path):
    whole = await complete(gpt2)
    assert whole.truncated
    ends = tmp_path / "ends"
    shutil.copytree(gpt2, ends)
    first = 3 + [*dict.fromkeys(WORDS)].index(whole.text.split()[0])
    path = ends / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "eos_token_id": [1, first]}))
    got = await complete(ends)
    assert (got.tokens_out, got.truncated) == (1, False)
    assert got.text == whole.text.split()[0]


async def test_the_question_is_not_part_of_the_answer(gpt2):
    shorter = await complete(gpt2, tokens=1)
    assert len(shorter.text.split()) <= 1
    assert shorter.tokens_out == 1


async def test_the_tokenizers_own_template_is_used(gpt2, tmp_path):
    with_template = await complete(gpt2)
    plain = tmp_path / "plain"
    shutil.copytree(gpt2, plain)
    tokenizer(plain)
    without = await complete(plain)
    # Question, "Assistant:" and "User:" against question and "it costs".
    assert (with_template.tokens_in, without.tokens_in) == (8, 8)
    assert with_template.text != "" != without.text
    no_end = TEMPLATE.replace("it costs", "")
    tokenizer(plain, no_end)
    assert (await complete(plain)).tokens_in == 6


@pytest.mark.parametrize("kind", ["t5", "gpt2"])
async def test_what_is_too_long_is_not_cut(kind, request: pytest.FixtureRequest):
    folder = request.getfixturevalue(kind)
    long = (Said("user", "delivery " * 70),)
    with pytest.raises(Unfit, match="too many"):
        await complete(folder, messages=long)
    with pytest.raises(Unfit, match="too many"):
        await complete(folder, messages=(Said("user", "it " * 300),), context_tokens=256)


async def test_an_answer_that_did_not_end_is_no_json(t5):
    with pytest.raises(Unusable, match=r"within 1 tokens|empty"):
        await complete(t5, tokens=1, schema={"type": "object"})


async def test_the_time_is_kept_and_a_later_question_is_answered(t5):
    engine = local(t5)
    with pytest.raises(Unwell, match="in time"):
        await engine.complete(request(messages=ASKED, tokens=6, seconds=0.001))
    assert (await engine.complete(request(messages=ASKED, tokens=6, seconds=60))).text
    await engine.close()
    await engine.close()


async def test_questions_at_once_are_answered_one_after_the_other(t5):
    engine = local(t5)
    asked = [engine.complete(request(messages=ASKED, tokens=4, seconds=60)) for _ in range(4)]
    answers = await asyncio.gather(*asked)
    assert len({got.text for got in answers}) == 1
    await engine.close()


async def test_the_client_takes_it_as_any_other_model(t5):
    talks = Llm([Entry(url="local:", model=str(t5))], Budget(), None)
    reply = await talks.ask(ask(messages=ASKED, schema=None, tokens=6))
    assert (reply.model, reply.cost) == (str(t5), 0.0)
    assert reply.text
    await talks.close()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ((), "no config.json"),
        (("config.json",), "no weights"),
        (("config.json", "pytorch_model.bin"), "PyTorch weights only: install the extra `torch`"),
        (("config.json", "model.safetensors"), "cannot be loaded"),
    ],
)
async def test_what_cannot_be_loaded_is_named_and_why(t5, tmp_path, files, says):
    broken = tmp_path / "broken"
    shutil.copytree(
        t5, broken, ignore=shutil.ignore_patterns("config.json", "*.safetensors", "*.h5")
    )
    for name in files:
        if name == "config.json":
            shutil.copy(t5 / name, broken)
        else:
            (broken / name).write_bytes(b"no weights at all")
    engine = local(broken)
    for _ in range(2):
        with pytest.raises(Misconfigured, match=says) as failed:
            await engine.complete(request(messages=ASKED))
        assert str(broken) in str(failed.value)
    await engine.close()


async def test_a_folder_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    talks = Llm([Entry(url="local:", model=str(tmp_path / "none"))], Budget(), None)
    with pytest.raises(AllFailed, match="is no folder here"):
        await talks.ask(ask())
    await talks.close()
