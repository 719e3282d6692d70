"""Who may call: tokens, roles, OpenID Connect."""
