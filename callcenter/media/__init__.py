"""The media plane: SDP, RTP, mixing, and the processes that carry audio."""
