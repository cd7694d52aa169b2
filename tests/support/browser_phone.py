"""A real browser that is an agent's phone: a tone for a microphone, and an ear on what its speaker plays."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.async_api import expect

from callcenter.media.audio import write_wav
from tests.support.browser_page import ConsolePage, console_page
from tests.support.installation import Installation
from tests.support.waiting import until

BROWSER_HZ = 620.0
"""What the browser's microphone hears."""
CLEAR = 0.5
"""Share of the energy from which a tone counts as heard; the browser's own processing adds a little of its own."""
_RATE = 48_000

_EARS = """
(() => {
  if (location.protocol === 'about:') return;
  const Original = window.RTCPeerConnection;
  window.peers = [];
  window.RTCPeerConnection = class extends Original {
    constructor(...given) { super(...given); window.peers.push(this); }
  };
  window.heardTone = async (hertz) => {
    const peer = window.peers.findLast((each) => each.connectionState === 'connected');
    const track = peer?.getReceivers()[0]?.track;
    if (!track) return 0;
    const context = (window.ears ??= new AudioContext());
    if (window.earTrack !== track) {
      window.earTrack = track;
      window.analyser = context.createAnalyser();
      window.analyser.fftSize = 16384;
      context.createMediaStreamSource(new MediaStream([track])).connect(window.analyser);
    }
    const samples = new Float32Array(window.analyser.fftSize);
    window.analyser.getFloatTimeDomainData(samples);
    let energy = 0, real = 0, imaginary = 0;
    samples.forEach((sample, n) => {
      const phase = (2 * Math.PI * hertz * n) / context.sampleRate;
      energy += sample * sample; real += sample * Math.cos(phase); imaginary += sample * Math.sin(phase);
    });
    return energy < 0.01 ? 0 : (2 * (real * real + imaginary * imaginary)) / (samples.length * energy);
  };
  window.sentCodec = async () => {
    const peer = window.peers.findLast((each) => each.connectionState === 'connected');
    const all = new Map();
    (await peer?.getStats())?.forEach((stat) => all.set(stat.id, stat));
    const sent = [...all.values()].find((stat) => stat.type === 'outbound-rtp');
    return all.get(sent?.codecId)?.mimeType ?? '';
  };
  localStorage.setItem('console.phone', 'browser');
  localStorage.setItem('console.voice_processing', 'off');
})();
"""


@dataclass(slots=True)
class BrowserPhone:
    """An agent's browser with its phone switched on."""

    desk: ConsolePage

    async def ready(self, login: str) -> None:
        """Sign in, wait until the exchange knows the phone, and go ready."""
        await self.desk.sign_in(login)
        await expect(self.desk.part("phone")).to_have_attribute("data-status", "ready")
        await self.desk.go_ready()

    async def accept(self) -> None:
        """Take the call that rings, and wait for its audio."""
        await self.desk.part("accept").click()
        await self.until_phase("up")

    async def until_phase(self, phase: str) -> None:
        """Wait until the call card shows the phone like this."""
        await expect(self.desk.part("phone-panel")).to_have_attribute("data-phase", phase)

    async def codec(self) -> str:
        """What the browser sends its speech in, such as ``audio/opus``; empty while it sends none."""
        return str(await self.desk.page.evaluate("() => window.sentCodec()"))

    async def heard_tone(self, hertz: float) -> float:
        """How much of the last third of a second in the speaker is one frequency, 0 to 1."""
        return float(await self.desk.page.evaluate("(hertz) => window.heardTone(hertz)", hertz))

    async def hears(self, hertz: float) -> None:
        """Wait until the speaker plays a tone."""

        async def clear() -> bool:
            return await self.heard_tone(hertz) > CLEAR

        await until(f"the browser plays {hertz:.0f} Hz", clear)


@asynccontextmanager
async def browser_phone(
    house: Installation, folder: Path, *, hertz: Sequence[float] = (BROWSER_HZ,), script: str = ""
) -> AsyncIterator[BrowserPhone]:
    """A headless browser whose microphone hears these tones for ever; ``script`` runs first in each of its pages."""
    wav = folder / "microphone.wav"
    seconds = np.arange(_RATE) / _RATE
    tones = np.sum([np.sin(2 * np.pi * each * seconds) for each in hertz], axis=0)
    samples = (tones * 8000 / len(hertz)).astype(np.int16)
    wav.write_bytes(write_wav(samples, _RATE))
    options = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={wav}",
        "--autoplay-policy=no-user-gesture-required",
    )
    async with console_page(house, folder, options=options, script=script + _EARS) as desk:
        page = desk.page
        page.on("dialog", lambda dialog: dialog.accept())
        yield BrowserPhone(desk)
