"""The customer store: customers, contact points, interactions and their timeline."""
