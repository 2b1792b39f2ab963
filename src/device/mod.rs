//! Devices: what a particle does to a part, as cross-sections with their sources.
