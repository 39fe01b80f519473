"""How good a model is: honest protocols on folders of labelled images."""
