"""Browser phones: ICE, DTLS-SRTP and their SDP, in front of a plain leg of the media plane."""
