"""Which tables and changes of the database this version knows, and what they were called before."""
