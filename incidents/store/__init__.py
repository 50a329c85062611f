"""All SQL of incidents: the catalogue, the list, and bringing rows in."""
