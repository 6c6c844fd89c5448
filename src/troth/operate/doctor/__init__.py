"""What `troth doctor` looks at."""
