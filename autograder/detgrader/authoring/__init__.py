"""From the text that staff edit to the notebook that students get."""
