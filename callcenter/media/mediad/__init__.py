"""The media processes: a keeper that owns the RTP sockets and workers that move the audio."""
