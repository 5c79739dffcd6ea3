"""What designers wrote, seen as a whole: which word leads to which answer, as a picture.

Read from the YAML alone, without Rasa and without a trained model.
"""
