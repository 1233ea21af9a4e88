"""Programs that run beside the controller: standard library only, started by file path, imported by nobody else."""
