"""Where students' code runs: the host's side here, behind the wall what lies in `inside`."""
