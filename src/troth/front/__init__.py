"""The process that meets visitors. It can neither tell nor take (WALL 1)."""
