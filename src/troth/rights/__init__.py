"""What a person may demand: to see, to correct, to take along, to be erased."""
