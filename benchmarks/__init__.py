"""What deskloop costs and reaches, measured beside reference systems. See README.md in this folder."""
