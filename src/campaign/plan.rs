//! The plan of a campaign: its strata, its trials, and each trial's job.
