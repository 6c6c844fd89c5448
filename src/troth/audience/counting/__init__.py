"""From a hit to sums. Runs in the front: no database, no vault."""
