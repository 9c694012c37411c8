"""Quality without truth: do masks of one finger agree?"""
