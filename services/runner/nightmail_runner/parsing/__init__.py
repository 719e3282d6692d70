"""The bytes of a source become a DataFrame, by the rules of docs/sources.md. Runs inside the sandbox."""
