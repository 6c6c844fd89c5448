"""Transactional email: what an operator's own program sends to one person by API."""
