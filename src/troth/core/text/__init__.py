"""What a text is searched for and freed from, whoever typed it."""
