"""Where attempts run: each executor places, observes and kills them; none retries or decides."""
