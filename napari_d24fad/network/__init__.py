"""D2-4FAD itself in plain torch: teacher, student, learn-to-weight, losses, model files."""
