"""Everything that is to be seen in a message, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.perception.contract import Perception
from bot.perception.escalation import Escalation
from bot.perception.language import Languages, Spoken
from bot.perception.model import SentimentModel
from bot.perception.mood import mood
from bot.perception.sentiment import feel
from bot.settings.schema import Perception as Settings


class Perceiver:
    """Looks at messages one by one. Made once; of one process, or before it is forked.

    Raises ValueError for a configured language that cannot be told from others.
    """

    def __init__(self, settings: Settings, escalation: Escalation) -> None:
        self._languages = Languages(settings.languages)
        self._model = SentimentModel(settings.sentiment) if settings.sentiment else None
        self._escalation = escalation

    async def perceive(
        self,
        text: str,
        *,
        last: Perception | None,
        earlier: Sequence[str] = (),
        profile_language: str = "",
        waited: float = 0.0,
    ) -> Perception:
        """Tell what a message looks like; never raises for anything a customer can write.

        `last` is what was seen in the customer's message before this one, `earlier` are the
        customer's last texts before it, oldest first, `profile_language` is the provider's
        word (BCP 47), `waited` the seconds since the first message nobody has answered. A
        message without words (a picture) keeps what was, and is no sensitive matter.
        """
        spoken = self._languages.spoken(
            text,
            known=last.language if last else "",
            sure=last.sure if last else 0.0,
            before=earlier[-1] if earlier else "",
            profile=profile_language,
        )
        if not text.strip():
            return self._wordless(spoken, last)
        felt = feel(text, spoken.language)
        how = f"lexicon: {', '.join(felt.told) or 'no word of it'}"
        if self._model is not None:
            score = await self._model.score(text)
            if score is not None:
                felt, how = replace(felt, score=score, certain=True), "model"
        over = mood(felt, text, last, earlier, waited)
        sensitive = self._escalation.match(text, spoken.language)
        why = (spoken.why, f"sentiment {felt.score:+.2f} by {how}", *over.why)
        return Perception(
            language=spoken.language,
            sure=spoken.sure,
            sentiment=felt.score,
            mood=over.mood,
            urgency=over.urgency,
            frustrated=over.frustrated,
            sensitive=sensitive,
            why=(*why, f"sensitive: {sensitive.why}") if sensitive else why,
        )

    def close(self) -> None:
        """Let go of the model's thread, if there is one."""
        if self._model is not None:
            self._model.close()

    def _wordless(self, spoken: Spoken, last: Perception | None) -> Perception:
        why = (spoken.why, "no words: everything else as it was")
        if last is None:
            return Perception(spoken.language, spoken.sure, 0.0, 0.0, 0.0, False, None, why)
        return Perception(
            spoken.language,
            spoken.sure,
            0.0,
            last.mood,
            last.urgency,
            last.frustrated,
            None,
            why,
        )
