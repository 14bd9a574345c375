"""Training data from the journal: goal, context, program, outcome."""
