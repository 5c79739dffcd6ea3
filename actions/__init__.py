"""Rasa custom actions, one file a topic.

They run in the bot's workers, and as well under `rasa run actions`. Two environment
variables tell them of the installation; the workers set both:

- ``FRONTDESK_STORE_URL``: the store that backends read, ``sqlite:var/bot.db`` without it;
- ``FRONTDESK_PUBLIC_URL``: where customers reach ``/static/``; without it no pictures are sent.

The shop that they ask is the one of `backends` in endpoints.yml, see `actions.backends.opening`.
"""
