"""The claim, its quantifier and threshold, and the verdict; refuses to call a claim proved while its interval touches the threshold.

Verdicts: supported, not supported, cannot say (with its reason), no baseline. Rules are frozen with a hash and a date before the
first number, and a rule changed afterwards says so wherever its verdict is shown.
"""
