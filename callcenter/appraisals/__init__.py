"""What others think of conversations: customers by surveys, supervisors by scores."""
