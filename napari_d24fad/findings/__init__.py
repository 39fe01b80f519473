"""What a reader makes of the regions of a result: findings with verdicts, notes and measurements."""
