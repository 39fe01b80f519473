"""What is trained on: tasks read from folders or made, and how their images are varied."""
