// snippet UsingInAnApplication.md: Set it up
