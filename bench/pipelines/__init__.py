"""What pipelines and policies cost and what they understand, see ``docs/pipeline.md``."""
