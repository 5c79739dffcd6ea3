"""Articles made of what a company has already: web pages, PDF, DOCX, and resolved cases."""
