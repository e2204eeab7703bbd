"""What stages measured, as JSON: one class for each file, which writes it and reads it."""
