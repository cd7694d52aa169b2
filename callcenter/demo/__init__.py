"""The demo: a company that does not exist, with simulated people who use real SIP, real RTP and the real console."""
