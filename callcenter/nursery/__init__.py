"""How processes are born: forked from one that has imported everything, else started from nothing."""
