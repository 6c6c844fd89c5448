"""The worker: it opens what the clerk kept, files it, and sends what is to be sent."""
