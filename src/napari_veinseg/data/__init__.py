"""Images, masks, datasets and synthetic fingers."""
