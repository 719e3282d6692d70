"""Sources of type `sql`: a process of its own runs each query, so that no database driver is part of the runner."""
