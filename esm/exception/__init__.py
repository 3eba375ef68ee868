"""The case: state, facts folded into it, and the decisions that make new facts."""
