"""SQL of evaluation: folding, counting, appeals and the rule it is done by; imported by its service alone."""
