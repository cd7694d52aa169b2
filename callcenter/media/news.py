"""What the media processes tell, in the exchange's words: events of sessions and recordings, figures of legs."""

from callcenter.media.codecs import Codec
from callcenter.media.protocol import (
    DigitHeard,
    LegCounts,
    LegSpec,
    QualityTurned,
    QuietNoticed,
    RecordingDone,
    RecordingSuffers,
    Reply,
    SilenceNoticed,
)
from callcenter.media.quality import estimate_mos
from callcenter.ports import (
    DigitPressed,
    LegQualityTurned,
    LegQuiet,
    LegSilent,
    LegStatistics,
    RecordingDegraded,
    RecordingEvent,
    RecordingFinished,
)


def leg_event(report: Reply) -> DigitPressed | LegSilent | LegQuiet | LegQualityTurned | None:
    """What happened on a leg; ``None`` for other news."""
    match report:
        case DigitHeard(session_id, leg_id, digit, secret):
            return DigitPressed(session_id, leg_id, digit, secret)
        case SilenceNoticed(session_id, leg_id):
            return LegSilent(session_id, leg_id)
        case QuietNoticed(session_id, leg_id, has_spoken):
            return LegQuiet(session_id, leg_id, has_spoken)
        case QualityTurned(session_id, leg_id, is_poor, mos, loss_percent, jitter_ms, round_trip_ms):
            known = None if round_trip_ms < 0 else round_trip_ms
            return LegQualityTurned(session_id, leg_id, is_poor, mos, loss_percent, jitter_ms, known)
        case _:
            return None


def recording_event(report: Reply) -> RecordingEvent | None:
    """What became of a recording; ``None`` for other news."""
    match report:
        case RecordingDone(session_id, recording_id, path, sha256, duration, truncated):
            return RecordingFinished(session_id, recording_id, path, sha256, duration, truncated)
        case RecordingSuffers(session_id, recording_id, reason):
            return RecordingDegraded(session_id, recording_id, reason)
        case _:
            return None


def statistics(counts: LegCounts, leg: LegSpec | None) -> LegStatistics:
    """A leg's figures, with the quality they make."""
    codec = Codec.PCMU if leg is None else Codec(leg.send_codec)
    sent = counts.packets_in + counts.packets_lost
    mos = None
    if counts.packets_in:
        mos = estimate_mos(
            codec,
            loss_percent=100 * counts.packets_lost / sent,
            jitter_ms=counts.jitter_ms,
            round_trip_ms=max(0.0, counts.round_trip_ms),
        )
    return LegStatistics(
        packets_in=counts.packets_in,
        packets_out=counts.packets_out,
        packets_lost=counts.packets_lost,
        packets_dropped=counts.packets_dropped,
        heard=counts.heard,
        jitter_ms=round(counts.jitter_ms, 1),
        round_trip_ms=None if counts.round_trip_ms < 0 else round(counts.round_trip_ms, 1),
        far_loss_percent=None if counts.far_loss < 0 else round(100 * counts.far_loss, 1),
        mos=mos,
        codec="" if leg is None or leg.remote is None else codec,
        worst_mos=round(counts.worst_mos, 2) or None,
        worst_loss_percent=round(counts.worst_loss_percent, 1) if counts.worst_mos else None,
    )
