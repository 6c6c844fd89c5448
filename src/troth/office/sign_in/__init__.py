"""Who is signed in at the console, and for how long."""
