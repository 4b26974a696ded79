"""Teachers: exact likelihoods of published statistical models. They know nobody of ours but the findings."""
