"""What lessons are called by, apart from the store: a command line must cost no imports."""

from __future__ import annotations

#: Confirmed: decided, not yet in a file. Written: in a file.
OPEN, CONFIRMED, WRITTEN, DISMISSED = "open", "confirmed", "written", "dismissed"
STATUSES = (OPEN, CONFIRMED, WRITTEN, DISMISSED)

#: Why a message is there: the customer said it was not meant so; a person had to take over; a
#: case that followed was rated badly; the model was not sure.
CORRECTED, HANDED, RATED, UNSURE = "corrected", "handed", "rated", "unsure"
#: The strongest first: who corrects the bot says of which message it was wrong.
REASONS = (CORRECTED, HANDED, RATED, UNSURE)
