"""LibreOffice, driven over UNO."""
