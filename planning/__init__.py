"""Siting studies: where new facilities should stand, with a proof of how good the answer is."""
