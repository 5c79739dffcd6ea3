"""Help for agents: drafts, similar cases, actions within the rules, canned replies."""
