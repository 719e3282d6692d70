"""What changes something: jobs, erasure, previews."""
