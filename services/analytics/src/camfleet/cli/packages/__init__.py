"""Model packages: a folder with a model's files and its model.json, described and published."""
