"""What all docks share: form, style, background jobs, model choice, messages."""
