"""Takes finished recordings, one after the other, has them written down, and keeps what came of it in the store.

It runs in the web process, and the engine in one of its own: no call notices either. What an engine cannot do is tried
``ATTEMPTS`` times, each time later, and then said where the recording is. Whether a recording may still be written down
is decided by the store in the transaction that keeps the words: what was deleted or erased meanwhile leaves none.
"""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from callcenter.errors import CallCenterError
from callcenter.media.recordings import load_keys
from callcenter.ports import Clock
from callcenter.transcripts.engine import EngineAway, Phrase, TranscriptionEngine, UnknownLanguage
from callcenter.transcripts.sound import PartySound, take_apart
from crm_bridge.database import Database
from crm_bridge.errors import CrmError
from crm_bridge.transcripts import NewTranscript, Segment, Unwritten, keep_written, note_unwritten, unwritten
from crm_bridge.vocabulary import TranscriptState

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""How often finished recordings are looked for."""
AWAY_SECONDS = 60.0
"""How long an engine that does not start is left alone."""
PORTION = 20
ATTEMPTS = 3
RETRY_AFTER = timedelta(minutes=10)
LEAST_PATIENCE = 60.0


class TranscriptKeeper:
    """``root`` is the folder of the recordings, ``folder`` one of its own, for what is in the clear while it is
    listened to; ``seconds_per_minute`` of sound is how long an engine may take."""

    def __init__(
        self,
        database: Database,
        engine: TranscriptionEngine,
        *,
        clock: Clock,
        root: Path,
        key_file: Path | None,
        folder: Path,
        seconds_per_minute: float,
        look_back: timedelta,
    ) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock
        self._root = root
        self._key_file = key_file
        self._folder = folder
        self._seconds_per_minute = seconds_per_minute
        self._look_back = look_back

    async def run(self) -> None:
        """Serve until cancelled."""
        await asyncio.to_thread(self._sweep)
        try:
            while True:
                pause = await self._turn()
                await asyncio.sleep(pause)
        finally:
            await asyncio.shield(self._engine.close())
            await asyncio.to_thread(self._sweep)

    async def _turn(self) -> float:
        """Work off a portion; the seconds after which to look again."""
        try:
            return 0.0 if await self.work() else LOOK_SECONDS
        except EngineAway as error:
            log.warning("nothing is written down", reason=str(error))
            return AWAY_SECONDS
        except (CrmError, OSError) as error:
            log.warning("transcripts not kept", error=type(error).__name__)
            return AWAY_SECONDS

    async def work(self) -> int:
        """Write down what waits, a portion at most; how many recordings that were.

        Raises ``EngineAway`` when there is no engine, ``CrmError`` when the store cannot be asked.
        """
        async with self._database.read() as session:
            jobs = await unwritten(session, since=self._now() - self._look_back, now=self._now(), limit=PORTION)
        for job in jobs:
            await self._one(job)
        return len(jobs)

    async def _one(self, job: Unwritten) -> None:
        name = await self._engine.name()
        try:
            segments = await self._listen(job)
        except EngineAway:
            raise
        except UnknownLanguage as error:
            await self._tell(job, TranscriptState.SKIPPED, str(error), name, None)
        except (CallCenterError, OSError, EOFError) as error:
            retry_at = self._now() + RETRY_AFTER * (job.attempts + 1) if job.attempts + 1 < ATTEMPTS else None
            state = TranscriptState.FAILED if retry_at is None else TranscriptState.WAITING
            reason = str(error) if isinstance(error, CallCenterError) else "the recording cannot be read"
            log.warning("recording not written down", recording_id=job.recording_id, attempt=job.attempts + 1)
            await self._tell(job, state, reason, name, retry_at)
        else:
            new = NewTranscript(segments, job.language, name)
            async with self._database.begin() as session:
                await keep_written(session, job, new, now=self._now())

    async def _listen(self, job: Unwritten) -> Sequence[Segment]:
        patience = max(LEAST_PATIENCE, job.duration_ms / 60_000 * self._seconds_per_minute)
        with TemporaryDirectory(dir=self._folder) as folder:
            sounds = await asyncio.to_thread(self._take_apart, job, Path(folder))
            heard = [
                (sound.party, await self._engine.transcribe(sound.path, language=job.language, patience=patience))
                for sound in sounds
                if not sound.is_silent
            ]
        return conversation(heard, job.pauses)

    def _take_apart(self, job: Unwritten, folder: Path) -> Sequence[PartySound]:
        path = (self._root / job.path).resolve()
        if not path.is_relative_to(self._root.resolve()):
            raise OSError("outside of the recordings")
        keys = None if self._key_file is None else load_keys(self._key_file)
        return take_apart(path, keys, job.pauses, folder)

    async def _tell(
        self, job: Unwritten, state: TranscriptState, error: str, source: str, retry_at: datetime | None
    ) -> None:
        async with self._database.begin() as session:
            await note_unwritten(session, job, state, error, source=source, retry_at=retry_at)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now() / 1000, UTC)

    def _sweep(self) -> None:
        """Leave nothing that an earlier life of this process had in the clear."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True)


def conversation(
    heard: Sequence[tuple[str, Sequence[Phrase]]], pauses: Sequence[tuple[int, int]]
) -> tuple[Segment, ...]:
    """What the parties said, in the order they began. What an engine claims to have heard within a pause is left
    out."""
    found = [
        Segment(phrase.start_ms, phrase.end_ms, party, phrase.text)
        for party, phrases in heard
        for phrase in phrases
        if not any(start <= phrase.start_ms and phrase.end_ms <= end for start, end in pauses)
    ]
    return tuple(sorted(found, key=lambda each: (each.start_ms, each.end_ms)))
