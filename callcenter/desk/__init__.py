"""The desk at the exchange: what people at consoles may order, checked against the floor and brought to its owner."""
