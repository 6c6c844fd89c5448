"""The newsletter: signing up, confirming, leaving."""
