"""What each event makes of its object: one function an event, called by `evolve` alone."""
