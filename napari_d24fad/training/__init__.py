"""How the models are made: tasks, episodes, the training loop."""
