"""What a picture is: pure functions on arrays and files, no networks."""
