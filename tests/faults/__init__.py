"""What comes from outside while a model is fitted: Ctrl-C, threads, workers that are killed."""
