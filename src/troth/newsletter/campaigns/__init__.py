"""Campaigns: emails that the operator writes and subscribers get."""
