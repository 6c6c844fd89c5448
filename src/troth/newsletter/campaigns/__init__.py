"""Campaigns: writing an email to many subscribers, sending it, and what became of it."""
