"""Incidents: classes, limits, deadlines, numbers, the list, and bringing files in."""
