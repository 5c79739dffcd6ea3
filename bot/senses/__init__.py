"""Pictures and recordings of customers made into words, before a message is answered."""
