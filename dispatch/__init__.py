"""Sending the right worker: who is proposed for an incident and why, and the board."""
