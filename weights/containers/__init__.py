"""Weight files that are not safetensors, one file per kind; each becomes an `Archive`."""
