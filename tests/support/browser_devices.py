"""Sound devices of a browser that can be pulled out and plugged in.

Chromium's made-up devices cannot be unplugged, so this script does to a page what a pulled-out device does: its tracks
end, it is listed, opened and played on no more, and the page is told (Media Capture and Streams, sections 4.3 and 9.2).
Which device a sound comes from and goes to is asked of the browser.
"""

from dataclasses import dataclass

from playwright.async_api import Page

SYSTEM_MICROPHONE, MICROPHONES = "Fake Default Audio Input", ("Fake Audio Input 1", "Fake Audio Input 2")
SYSTEM_SPEAKER, SPEAKERS = "Fake Default Audio Output", ("Fake Audio Output 1", "Fake Audio Output 2")

PULLING_OUT = """
(() => {
  if (location.protocol === 'about:') return;
  const devices = navigator.mediaDevices;
  const list = devices.enumerateDevices.bind(devices);
  const open = devices.getUserMedia.bind(devices);
  const gone = new Set();
  const opened = new Set();
  const sinks = new Map();
  const missing = () => new DOMException('Requested device not found', 'NotFoundError');
  const idOf = async (label) => (await list()).find((device) => device.label === label)?.deviceId;
  const isThere = ({ deviceId }) => !gone.has(deviceId);
  devices.enumerateDevices = async () => (await list()).filter(isThere);
  devices.getUserMedia = async ({ audio }) => {
    const inputs = (await list()).filter((device) => device.kind === 'audioinput' && isThere(device));
    const wanted = inputs.find((device) => device.deviceId === audio.deviceId?.ideal) ?? inputs[0];
    if (!wanted) throw missing();
    const stream = await open({ audio: { ...audio, deviceId: { exact: wanted.deviceId } } });
    stream.getTracks().forEach((track) => opened.add(track));
    return stream;
  };
  for (const kind of [HTMLMediaElement, AudioContext]) {
    const choose = kind.prototype.setSinkId;
    kind.prototype.setSinkId = async function (id) {
      if (gone.has(id)) throw missing();
      await choose.call(this, id);
      sinks.set(kind.name, id);
    };
  }
  window.change = async (label, pulledOut) => {
    const id = await idOf(label);
    if (!pulledOut) gone.delete(id);
    else gone.add(id);
    for (const track of opened) {
      if (!gone.has(track.getSettings().deviceId) || track.readyState === 'ended') continue;
      track.stop();
      track.dispatchEvent(new Event('ended'));
    }
    devices.dispatchEvent(new Event('devicechange'));
  };
  window.usedMicrophone = () => {
    const sender = window.peers.findLast((each) => each.connectionState === 'connected')?.getSenders()[0];
    return sender?.track?.readyState === 'live' ? sender.track.label : '';
  };
  window.usedSpeaker = async (kind) => {
    const id = sinks.get(kind) ?? '';
    return (await list()).find((device) => device.kind === 'audiooutput' && device.deviceId === id)?.label ?? '';
  };
})();
"""


@dataclass(frozen=True, slots=True)
class BrowserDevices:
    """Those of one page that ``PULLING_OUT`` runs in."""

    page: Page

    async def pull_out(self, label: str) -> None:
        """Unplug one, whoever uses it."""
        await self.page.evaluate("(label) => window.change(label, true)", label)

    async def plug_in(self, label: str) -> None:
        """Plug it in again."""
        await self.page.evaluate("(label) => window.change(label, false)", label)

    async def microphone(self) -> str:
        """The microphone that the call is sent from, empty without one."""
        return str(await self.page.evaluate("window.usedMicrophone()"))

    async def speaker(self) -> str:
        """Where the call is heard, empty for the system's own."""
        return str(await self.page.evaluate("window.usedSpeaker('HTMLMediaElement')"))

    async def ringer(self) -> str:
        """Where offers ring, empty for the system's own."""
        return str(await self.page.evaluate("window.usedSpeaker('AudioContext')"))
