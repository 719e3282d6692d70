"""The kernel's isolation of a worker: Landlock, seccomp, namespaces."""
