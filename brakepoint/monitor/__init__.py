"""The page that shows a live train, and its server. The front end has no build step."""
