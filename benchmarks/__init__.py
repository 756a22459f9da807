"""Speed, side by side with what you would otherwise run."""
