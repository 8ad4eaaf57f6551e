"""What the modules of the library do. Within a step's unit: nothing here needs more than Python."""
