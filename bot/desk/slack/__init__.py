"""The desk in Slack: what agents see of it there, and what they do with it."""
