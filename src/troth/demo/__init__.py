"""A sample vendor's website and a test mail server, to try Troth on one machine."""
