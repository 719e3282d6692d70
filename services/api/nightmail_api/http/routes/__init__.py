"""The calls of the API, one module per thing that they are about."""
