"""Templates rendered in a process of their own, which may die of them."""
