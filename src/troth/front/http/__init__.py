"""HTTP at the front: protocol, headers, limits, rendering."""
