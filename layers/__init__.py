"""What is drawn on the map: one registry entry a layer, read-only SQL to vector tiles, styles and legends."""
