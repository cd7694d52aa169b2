"""What was said in recordings, written down by a program beside the exchange, for the customer store."""
