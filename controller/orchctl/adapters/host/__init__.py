"""What the machine itself offers: clocks and locks."""
