"""The messages that wait, for who listens by phone: deciphered into a file of their own for as long as they play.

Media processes play files, and recordings are encrypted. What is in the clear lies in a folder that only this account
may enter, below the system's folder for temporary files, and goes with the play, at the latest with the process.
"""

import asyncio
import os
import tempfile
from pathlib import Path

from agent_console.ports import IntentError
from callcenter.bus import Bus
from callcenter.calls.voicemail_facts import VoicemailHeard
from callcenter.channels.items import Items
from callcenter.channels.voicemail import Voicemail
from callcenter.errors import MediaError
from callcenter.media.audio import write_wav
from callcenter.media.g711 import decode
from callcenter.media.law import Law
from callcenter.media.recordings import load_keys, open_recording, read_sidecar
from callcenter.media.recordings.naming import sidecar_of
from callcenter.media.recordings.wav import HEADER_BYTES
from callcenter.ports import Clock, Journal


class PhoneShelf:
    """Implements ``calls.mailbox.MessageShelf``. ``root`` is the folder of the recordings, ``None`` without any."""

    def __init__(
        self,
        voicemail: Voicemail,
        items: Items,
        *,
        clock: Clock,
        journal: Journal,
        bus: Bus,
        root: Path | None,
        key_file: Path | None,
    ) -> None:
        self._voicemail = voicemail
        self._items = items
        self._bus = bus
        self._clock = clock
        self._journal = journal
        self._root = root
        self._key_file = key_file
        self._clear: tempfile.TemporaryDirectory[str] | None = None

    def waiting_for(self, agent_id: str) -> tuple[str, ...]:
        """See ``MessageShelf.waiting_for``."""
        return self._voicemail.heard_by(agent_id)

    async def audio(self, agent_id: str, recording_id: str) -> str:
        """See ``MessageShelf.audio``."""
        fact = VoicemailHeard(recording_id, self._clock.now(), agent_id, self._voicemail.box_of(recording_id))
        await self._journal.committed(self._journal.append(fact, at=fact.at))
        self._bus.publish(fact, fact.at)
        path = self._voicemail.path_of(recording_id)
        if self._root is None or not path:
            raise MediaError("there is no recording of this message")
        return await asyncio.to_thread(self._decipher, self._root / path)

    async def put_back(self, path: str) -> None:
        """See ``MessageShelf.put_back``."""
        await asyncio.to_thread(Path(path).unlink, missing_ok=True)

    async def delete(self, agent_id: str, recording_id: str) -> None:
        """See ``MessageShelf.delete``."""
        try:
            await self._items.finish(agent_id, recording_id, boxes=lambda box: self._voicemail.works(agent_id, box))
        except IntentError:  # somebody was faster
            return

    def _decipher(self, path: Path) -> str:
        keys = None if self._key_file is None else load_keys(self._key_file)
        try:
            with open_recording(path, keys) as content:
                data = content.read()
            law = Law(read_sidecar(sidecar_of(path)).opened.law)
            if self._clear is None:
                self._clear = tempfile.TemporaryDirectory(prefix="callcenter-messages-")
            descriptor, name = tempfile.mkstemp(suffix=".wav", dir=self._clear.name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(write_wav(decode(data[HEADER_BYTES:][0::2], law)))
        except OSError as error:
            raise MediaError(f"the message cannot be read: {error.strerror}") from error
        return name
