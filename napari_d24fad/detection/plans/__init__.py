"""How each kind of study is examined place by place, and which kind a study is of."""
