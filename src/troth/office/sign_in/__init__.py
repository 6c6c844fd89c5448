"""Sign-in at the console: accounts, sessions, second factors."""
