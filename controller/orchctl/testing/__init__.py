"""Public fakes and harnesses: for the project's own tests, and for those of packages that extend it."""
