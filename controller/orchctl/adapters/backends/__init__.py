"""How each kind of agent is launched and what its end means. Backends do no input or output and never spawn."""
