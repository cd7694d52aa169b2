"""What every speech engine does, whoever implements it."""

import pytest

from callcenter.media.audio import level_db
from callcenter.media.speech import SpeechEngine
from ivr.effects import PromptText


class SpeechEngineContract:
    """Inherit this in a test class and give it a fixture ``engine``."""

    async def test_it_has_a_version_that_stays(self, engine: SpeechEngine) -> None:
        version = await engine.version()
        assert version
        assert await engine.version() == version

    @pytest.mark.parametrize("prompt", [PromptText("a", "en", "One moment."), PromptText("b", "zh", "请稍等。")])
    async def test_it_speaks_audibly_at_telephone_rate(self, engine: SpeechEngine, prompt: PromptText) -> None:
        samples = await engine.speak(prompt)
        assert 0.1 < len(samples) / 8000 < 20
        assert -40 < level_db(samples) < -6

    async def test_a_text_that_looks_like_an_option_is_only_text(self, engine: SpeechEngine) -> None:
        assert len(await engine.speak(PromptText("c", "en", "--help; $(reboot)\nsecond line")))

    async def test_it_may_be_closed_twice(self, engine: SpeechEngine) -> None:
        await engine.speak(PromptText("a", "en", "One."))
        await engine.close()
        await engine.close()
