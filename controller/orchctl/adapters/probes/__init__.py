"""What there is on this machine: looked for, asked within bounds, and told as facts."""
