"""The lessons' own parts: for each lesson its explorer, predictions, quiz questions and exercises."""
