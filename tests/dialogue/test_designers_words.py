from __future__ import annotations

from pathlib import Path

import pytest

from bot.dialogue.checking.domain import Domain, read_domain
from bot.dialogue.checking.files import domain_files, yaml_below
from bot.dialogue.checking.finding import Findings
from bot.dialogue.checking.nlu import Nlu, bare, read_nlu
from bot.dialogue.checking.reading import plain, read
from bot.perception.escalation_file import ESCALATION_FILE, load_escalation

ROOT = Path(__file__).parents[2]
#: Characters: of more, an SMS is three or more messages, each of which is paid for.
LONGEST_SMS = 306
LONG = 260


@pytest.fixture(scope="module")
def domain() -> Domain:
    made, findings = Domain(), Findings()
    for path in domain_files(ROOT):
        top = read(path, path.name, findings)
        assert top is not None
        read_domain(top, made, findings)
    return made


def test_no_rule_is_taught_what_a_person_has_to_answer(domain: Domain) -> None:
    """Perception gives such a message to a person before the brain: an example of it is dead."""
    escalation = load_escalation(ROOT / ESCALATION_FILE)
    nlu, findings = Nlu(), Findings()
    for path in yaml_below(ROOT / "data/nlu"):
        top = read(path, path.name, findings)
        assert top is not None
        read_nlu(top.get("nlu"), top.at, nlu, domain, findings)
    assert sum(map(len, nlu.examples.values())) > 2000
    taught = {
        f"{at.file}:{at.line}: {text}": found.why
        for examples in nlu.examples.values()
        for text, at in examples
        if (found := escalation.match(bare(text), "en"))
    }
    assert taught == {}


def test_an_sms_is_short_and_has_no_buttons(domain: Domain) -> None:
    short = 0
    for name, variations in domain.variations.items():
        if name == "utter_proof_mail":
            # A letter, not a message.
            continue
        made = [plain(one) for one in variations]
        assert all(isinstance(one, dict) for one in made)
        texts = {str(one.get("channel") or ""): one for one in made if isinstance(one, dict)}
        sms = texts.get("sms")
        if sms is not None:
            short += 1
            assert "buttons" not in sms, name
            assert len(str(sms["text"])) <= LONGEST_SMS, name
            # Elsewhere buttons say a part of it.
            full = [texts[""], *(texts[""].get("buttons") or ())]
            whole = sum(len(str(one.get("text") or one.get("title"))) for one in full)
            assert len(str(sms["text"])) < whole, name
        else:
            assert len(str(texts.get("", {}).get("text") or "")) <= LONG, name
    assert short > 25
