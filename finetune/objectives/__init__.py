"""What a training can minimise, one file each."""
