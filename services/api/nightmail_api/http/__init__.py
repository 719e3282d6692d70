"""REST over FastAPI: routes, schemas, middleware, problems."""
