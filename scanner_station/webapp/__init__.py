"""The pages and the HTTP interface; one module per user."""
