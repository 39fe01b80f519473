"""How fast it is: the published loop, the floor and our engine on the same images, and a whole volume."""
