"""What each stage is given: the part of the configuration that it may depend on.

A rule passes its stage's settings as one sorted JSON string, so that a command can be replayed by
hand and a change re-runs exactly the stages that it concerns. Every class of settings has
`from_config`, which takes it out of a whole configuration. Imports no torch.
"""
