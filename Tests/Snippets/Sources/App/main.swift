// snippet README.md: PerRequest
