"""What each type of gate says about a stage's work: one pure verdict module a type, over facts that are recorded."""
