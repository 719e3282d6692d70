"""The kernel isolation of a child: Landlock, seccomp, namespaces."""
