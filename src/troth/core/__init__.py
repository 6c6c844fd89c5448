"""What every room stands on: words, ids, time, frames, links, fences. Standard library and `cryptography` only."""
