// snippet README.md: Add it (2)
