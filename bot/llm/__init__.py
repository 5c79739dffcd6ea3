"""Language models: one client, prompts as files, and the guards around what goes in and out."""
