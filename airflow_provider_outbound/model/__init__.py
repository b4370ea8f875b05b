"""What is listed: channels, components, placeholders; pure Python, no I/O."""
