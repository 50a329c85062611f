"""What every package stands on: settings, errors, log, clock, identity, progress."""
