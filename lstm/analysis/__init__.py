"""What can be learnt from weights and traces beyond the numbers themselves."""
