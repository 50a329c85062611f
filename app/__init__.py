"""Everything that people and programs touch: pages, HTTP, commands, jobs."""
