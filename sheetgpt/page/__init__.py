"""The same model as one HTML file: each step a cell of JavaScript beside its numbers."""
