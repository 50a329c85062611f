"""All HTTP: login, tiles, values, assets."""
