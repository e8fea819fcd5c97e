"""From files of a whole class to the files of its results."""
