"""What agents need of this machine: looked for, asked within bounds, and told as facts."""
