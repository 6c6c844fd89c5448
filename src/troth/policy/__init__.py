"""The privacy policy: its promises, text and versions, the data map, retention, and how all of it is published."""
