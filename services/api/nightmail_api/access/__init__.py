"""Authentication and permissions: tokens, roles, OpenID Connect."""
