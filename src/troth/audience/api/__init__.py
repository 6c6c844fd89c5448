"""The statistics API: tokens, endpoints, and its OpenAPI description."""
